"""What the forms of the junk table are put together from: `{name}` in a form stands for the piece of that name."""

from __future__ import annotations

PIECES: dict[str, str] = {
    "count": r"\(?\d[\d.,]*[km]?\)?",
    "minutes": r"(about |~ ?)?(\d{1,3}|one|two|three|four|five|six|seven|eight|nine|ten)[ -]?min(ute)?s?\.?",
    "clock": r"-?\d{1,2}:\d\d(:\d\d)?",
    "running": r"\W{1,3}({clock}|{minutes})( min)?\)?",
    "thing": r"article|story|page|post|link|report|video|episode|column|content",
    "network": (
        r"facebook|twitter|x\b|instagram|linkedin|whatsapp|reddit|pinterest|telegram|flipboard|bluesky|threads|tiktok|tumblr|youtube|mastodon"
        r"|messenger|google news|apple news|pocket|sms|e-?mail|mail|print|copy( the)? (link|url)"
    ),
    "site": r"facebook|twitter|x|instagram|linkedin|tiktok|youtube|bluesky|threads|mastodon|google\+?|telegram|whatsapp|social media",
    "button": r"{network}|share( (this|full))?( {thing})?|tweet|pin( it)?|post|send|save|gift|bookmark",
    "gap": r" ?[,|/&•·+-]? ?(and )?",
    "letter": r"newsletters?|mailing list|e-?mail (list|alerts?|updates?)|(news )?alerts?|notifications|briefings?|digest|inbox|e-?mails?|headlines",
    "join": r"(please )?(subscribe|sign ?up|register)( now| today| here| free)?",
    "enter": r"log ?in|sign ?in|sign ?up|register|subscribe",
    # what leads to another article, alone or before its headline
    "lead": (
        r"read (more|also|next|this next)|also (read|see)|see (also|more)"
        r"|related( (story|stories|articles?|coverage|news|content|links?|reading|topics?))?"
        r"|more on this( story)?|more (stories|news|coverage|headlines)|recommended( (for you|stories|reading))?"
        r"|you (may|might) also (like|be interested in)"
        r"|most (read|popular|viewed|shared)|trending( now| stories)?|top stories|don't miss( it| this)?|(up|what to read) next|explore more"
        r"|from (our archives?|the archives?|our partners|around the web)|in case you missed it|icymi|(go|dig) deeper"
        r"|editors?'?s?'? (picks?|choice)"
        r"|suggested (reading|stories)|(next|previous) (article|story|post)|latest (news|stories|headlines)|further reading|must reads?"
    ),
    # what an advertisement interrupts
    "onward": (
        r"scroll( down)? (to|for) (continue|keep reading|more)( reading)?"
        r"|(story|article|post) continues( (below|after))?( (this|the))?( ad(vertisement)?)?"
        r"|continues? (reading )?below( (this |the )?ad(vertisement)?)?|continue reading( (the )?(main )?(story|article))?"
        r"|skip (this )?ad(vertisement)?"
    ),
    "month": (
        r"jan(uary)?|feb(ruary)?|mar(ch)?|apr(il)?|may|june?|july?|aug(ust)?|sept?(ember)?|oct(ober)?|nov(ember)?|dec(ember)?"
        r"|enero|febrero|marzo|abril|mayo|junio|julio|agosto|septiembre|octubre|noviembre|diciembre"
        r"|januar|februar|märz|mai|juni|juli|oktober|dezember"
        r"|janvier|février|mars|avril|juin|juillet|août|septembre|octobre|novembre|décembre"
    ),
    "moment": (
        r"\d+(st|nd|rd|th|t|z|h| ?[ap]\.? ?m\.?)?|{month}|(mon|tues?|wed(nes)?|thu(rs)?|fri|sat(ur)?|sun)(day)?"
        r"|at|on|ago|days?|hours?|hrs?|minutes?|mins?|[ap]\.? ?m\.?|just now|today|yesterday|[ecmp][sd]?t|gmt|utc|bst|cet"
        r"|de|del|a las|hace|horas?|minutos|um|uhr|vor|stunden|minuten|le|à|il y a|heures?"
    ),
    "dated": (
        r"(published|updated|posted|modified)( (on|at))?"
        r"|(actualizado|publicado)( (el|a las))?|(aktualisiert|veröffentlicht|stand)( am)?|(mis à jour|publié|modifié)( le)?"
    ),
    "when": r"({moment}(?![^\W\d_])|[-–—,|/•·:.() +])++",
    "agency": (
        r"ap|afp|reuters|epa|efe|upi|dpa|getty( images)?|bloomberg|shutterstock|istock|alamy|anadolu|zuma( press)?|xinhua|pa( wire)?"
        r"|nurphoto|sipa( usa)?|(the )?(canadian|associated) press"
    ),
}
"""Name → regular expression; a piece may name others."""
