"""Junk lines of scraped articles: an ordered table of rules, each a pattern that must match a whole short line.

A rule never looks inside a sentence: "An advertisement for seasonal crews ran in two languages." is no junk, "- Advertisement -" is.
"""

from __future__ import annotations

import re

LONGEST = 160
"""Code points; a longer line is never junk."""

_NETWORK = r"(?:facebook|twitter|x|e-?mail|print|linkedin|whatsapp|reddit|pinterest|telegram|flipboard|bluesky|threads|copy link|copy url|sms|tumblr|pocket|mail)"
_MONTH = r"(?:jan|feb|mar|apr|may|june?|july?|aug|sept?|oct|nov|dec)[a-z]*\.?"
_WHEN = rf"(?:(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*,?|{_MONTH}|\d{{1,4}}(?:st|nd|rd|th)?|\d{{1,2}}[:.]\d\d|[ap]\.?m\.?|at|on|of|e[sd]?t|p[sd]?t|c[sd]?t|gmt|utc|ago|hours?|minutes?|[-,|/•·:.]|\s)+"
_CONTINUE = r"(?:scroll (?:down )?(?:to continue(?: reading)?|for more)|(?:story|article) continues(?: (?:below|after))?(?: (?:this )?ad(?:vertisement)?)?|continue reading(?: below)?|keep reading|skip (?:this )?ad(?:vertisement)?)"
_LEAD = r"(?:read more|read also|also read|read next|related(?: stor(?:y|ies)| articles?| coverage| news)?|see also|more on this(?: story)?|more from [^:]{2,40}|recommended(?: for you)?|you may also like|you might also like|most read|trending(?: now)?|don[’']t miss|watch(?: now| live)?|listen|read|up next|more stories|top stories|from the archives?)"

_RULES: tuple[tuple[str, str], ...] = (
    ("advertisement", rf"(?:advertisements?|advertising|ad|sponsored(?: (?:content|post|links?|by [^.]{{2,40}}))?|paid (?:content|post)|promoted)(?:\W*{_CONTINUE})?"),
    ("advertisement", rf"(?:{_CONTINUE})(?:\W*advertisements?)?"),
    ("reading_time", r"(?:estimated )?(?:reading|read) time\W*(?:about )?(?:\d{1,3}|one|two|three|four|five|six|seven|eight|nine|ten)[\s-]*min(?:ute)?s?"),
    ("reading_time", r"(?:about )?(?:\d{1,3}|one|two|three|four|five|six|seven|eight|nine|ten)[\s-]*min(?:ute)?s?\W*(?:to )?(?:read|listen|watch|video)(?:ing time)?"),
    ("comments", r"(?:\(?\d[\d,.]*k?\)?|no|add|view|read|show|see|hide|leave|post|write|join|load)\s*(?:all|a|an|your|the|more|\d[\d,.]*)?\s*(?:comments?|replies|conversations?|discussion)(?:\s*\(?\d*\)?)?(?: (?:below|on this (?:story|article)))?"),
    ("comments", r"(?:comments?|discussion|replies)(?:\W*\d[\d,.]*\W*|\W*(?:are )?(?:closed|off|disabled)(?: on this (?:story|article))?)?|be the first to (?:leave a )?comment|join the (?:conversation|discussion)|what do you think\?(?: .{0,60}comments?(?: below)?)?|you must be logged in .{0,30}comment"),
    ("share", rf"(?:(?:click to )?(?:share|tweet|post|pin|send|save|print|email|gift)(?: (?:this|it|the))?(?: (?:article|story|page|post|link))?(?: (?:on|to|via|by|with|a friend|friends|in))*\s*(?:{_NETWORK}[\s,|/&•·-]*(?:and |or )?)*(?:\(opens in (?:a )?new window\))?|(?:{_NETWORK}[\s,|/&•·-]*(?:and |share )?)+|(?:\d[\d,.]*k? )?shares?)"),
    ("newsletter", r"(?:please |to read more,? )?(?:sign up|subscribe|register|get|receive|join|enter your e-?mail|already a (?:subscriber|member)|become a (?:subscriber|member)|support (?:our|independent|local) (?:journalism|news|reporting)|log in|create (?:an|a free) account|start your (?:free )?trial)\b.{0,90}?\b(?:newsletters?|inbox|in-?box|mailing list|subscribe(?: now| today)?|subscription|alerts?|to continue(?: reading)?|for full access|unlimited access|e-?mail address|log ?in|sign ?in|sign up|donate(?: today)?|member(?:ship)?(?: today)?|briefing|digest|journalism|free trial|morning edition|updates|account)"),
    ("newsletter", r"(?:subscribe|sign ?up|sign ?in|log ?in|register|donate|newsletters?|subscribe (?:now|today|here)|become a member|subscribers only|for subscribers)"),
    ("related", rf"(?:{_LEAD})\s*(?:[:|»>→–—]|(?<=\w)\s-\s)\s*\S.*"),
    ("related", r"(?:read more|related(?: stor(?:y|ies)| articles?| coverage| topics)?|see also|more on this(?: story)?|recommended(?: for you)?|you (?:may|might) also like|most (?:read|popular|viewed)|trending(?: now)?|up next|more stories|top stories|editor[’']?s[’']? picks?|more from .{2,40}|next (?:article|story)|previous (?:article|story)|tags?|filed under|topics?)\s*:?"),
    ("tags", r"(?:tags?|filed under|topics|keywords|categories)\s*:\s*\S.*"),
    ("player", r"(?:(?:listen|watch|play|replay|pause|now playing|audio|video|gallery|slideshow)(?: to)?(?: (?:this|the))?(?: (?:article|story|video|audio|clip|now|live|gallery|slideshow|photos?))*(?:\W*\(?\d{1,3}(?::\d\d|\s*min(?:ute)?s?)\)?)?|\d{1,2}:\d\d\s*/\s*\d{1,2}:\d\d)"),
    ("photo_credit", r"(?:photos?|images?|pictures?|illustration|graphic|video|file photo|cover photo|photo(?:graph)? courtesy|photo credit|image credit|credits?)\s*(?:by|:|credit:?|courtesy(?: of)?:?|/)\s*[^.!?]{2,90}\.?"),
    ("photo_credit", r"\(?[^.!?]{0,60}(?:/getty images|getty images|/ap photo|ap photo/[^)]*|/reuters|/afp|via getty images|shutterstock|istock)\)?\.?"),
    ("page", r"(?:skip to (?:main |the )?(?:content|navigation)|skip (?:ad|advertisement)|back to top|top of page|main menu|menu|search|home|close(?: (?:ad|menu|this|dialog|modal|window))?|loading(?: (?:comments|more|video|article))?|please wait|show (?:more|less|caption|all)|hide caption|toggle caption|enlarge(?: this)? image|expand|read full (?:article|story)|view (?:gallery|image|all|full size)|load more|next|previous|accept(?: all)? cookies|manage cookies|cookie (?:policy|settings)|privacy policy|terms of (?:use|service)|contact us|about us|advertise with us|open in app|download (?:our|the) app)"),
    ("popup", r"this (?:ad|message|window|page|pop-?up|video|site|banner)?\s*will (?:close|refresh|reload|begin|start|play) in \d+ (?:seconds?|minutes?)|(?:ad|video) (?:ends|closes|starts|begins) in \d+ ?s?(?:econds?)?|(?:we|this (?:site|website|page)) uses? cookies.{0,100}|please (?:enable|disable|turn o(?:n|ff)|allow) (?:javascript|your ad ?blocker|cookies|ads).{0,80}"),
    ("copyright", r"(?:copyright\s*)?(?:©|\(c\))\s*.{0,120}|copyright\s*(?:©|\(c\))?\s*(?:19|20)\d\d\b.{0,110}|.{0,80}all rights reserved\W*.{0,60}|this material may not be (?:published|broadcast|reproduced).{0,100}"),
    ("timestamp", rf"(?:(?:first |originally )?(?:last )?(?:published|updated|posted|modified|created)(?: on| at)?\s*:?\s*)(?=.*\d){_WHEN}"),
    ("follow", r"(?:(?:follow|like|find) (?:us|me|him|her|them|[A-Z@][\w .&’'-]{1,40}) on .{1,80}|follow us|(?:click|tap|press) here (?:to|for) .{1,100}|(?:click|tap) (?:to|for) (?:enlarge|expand|share|subscribe|more).{0,60}|download (?:our|the) (?:free )?app.{0,60}|get the (?:free )?app.{0,60}|got a (?:news )?tip\?.{0,100}|have a (?:news )?tip\?.{0,100}|send tips to .{1,80}|text size.{0,20}|font size.{0,20})"),
)  # fmt: skip

RULES: tuple[tuple[str, re.Pattern[str]], ...] = tuple((name, re.compile(pattern, re.IGNORECASE)) for name, pattern in _RULES)
"""Rule name → pattern, tried in order against the whole line without its outer punctuation."""

_EDGE = " \t-–—*_=~|•·[]<>»«…"
_DECORATION = re.compile(r"[\W_]+")


def junk_rule(line: str) -> str | None:
    """The name of the rule by which a line is junk, or None for a line of the article."""
    if not line or len(line) > LONGEST:
        return None
    if _DECORATION.fullmatch(line):
        return "decoration"
    core = line.strip(_EDGE)
    for form in (core, core.rstrip(".!:")):
        for name, pattern in RULES:
            if pattern.fullmatch(form):
                return name
    return None
