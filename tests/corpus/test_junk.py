"""The junk table: what must go, what must stay, and that no line, however hostile, takes long."""

from __future__ import annotations

import re
import sys
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsclf.corpus import junk
from newsclf.corpus.junk import ENOUGH, LONGEST, RULES, junk_rule, may_be_junk
from newsclf.corpus.junk_abroad import ABROAD
from newsclf.corpus.junk_forms import FORMS, NAMES
from newsclf.corpus.junk_pieces import PIECES

JUNK = {
    "decoration": "* * * ¦ — ¦ • ¦ ••• ¦ ________ ¦ ~ ¦ [...] ¦ . . .",
    "advertisement": """
        Advertisement ¦ ADVERTISEMENT ¦ - Advertisement - ¦ — ADVERTISEMENT — ¦ [Advertisement] ¦ (Advertisement) ¦ Advertisement: ¦ * Advertisement *
        Advertisement. Scroll to continue. ¦ Advertisement · Scroll to continue ¦ Advertisement - story continues below ¦ ADVERTISEMENT - SCROLL FOR MORE
        Story continues below advertisement ¦ Article continues below ¦ Story Continues ¦ Article continues after this advertisement ¦ Continue reading below
        Continue reading the main story ¦ Scroll to continue reading ¦ Skip advertisement ¦ Skip this ad ¦ Ad ¦ Ads ¦ Ad Feedback ¦ Sponsored
        Sponsored content ¦ Paid advertisement ¦ Paid Post ¦ Sponsored by Hollis Ford ¦ Ads by Google ¦ Powered by Nimbly ¦ Partner content ¦ Promoted
        Report this ad ¦ Remove ads ¦ Why am I seeing this ad? ¦ Loading advertisement ¦ Advertisement Continue reading the main story ¦ End of advertisement
        Scroll down for video ¦ Advertising ¦ We may earn a commission if you buy something through our links. ¦ Branded content""",
    "reading_time": """
        4 Min Read ¦ 4 min read ¦ 12 minute read ¦ 5-minute read ¦ Reading time: 3 minutes ¦ Reading Time: 4 mins read ¦ Est. reading time: 2 min
        Read time: about 6 minutes ¦ A 6 minute read ¦ Time to read: 3 minutes ¦ Three minute read ¦ 7 min. read ¦ 2 mins to read ¦ 3 MIN VIDEO
        8 min listen ¦ Estimated reading time 11 minutes ¦ 4-Minute Listen ¦ · 4 min read ·""",
    "comments": """
        8 Comments ¦ 1 comment ¦ Comments ¦ Comments (3) ¦ Comments 14 ¦ Comments: 0 ¦ No comments ¦ No comments yet ¦ Leave a comment ¦ Leave a Reply
        Add a comment ¦ Post a comment ¦ Post Comment ¦ View comments ¦ View all 112 comments ¦ Show comments ¦ Hide comments ¦ Read 1,204 comments ¦ Load more comments
        1.2k comments ¦ Comments are closed. ¦ Comments are turned off ¦ Comments are closed on this story. ¦ Be the first to comment ¦ Be the first to leave a comment
        Join the conversation ¦ Join the discussion below ¦ What do you think? Tell us in the comments below. ¦ Let us know in the comments ¦ Reply
        You must be logged in to post a comment. ¦ Log in to leave a comment ¦ Sign in to comment ¦ Your email address will not be published.
        Required fields are marked * ¦ We are not currently accepting comments on this article. ¦ Comment guidelines ¦ 3 replies ¦ Comments on this story""",
    "share": """
        Share ¦ Share this ¦ Share this: ¦ Share this article ¦ Share full article ¦ Share on Facebook ¦ Share via Email ¦ Share this story on Facebook
        Click to share on Twitter (Opens in new window) ¦ Click to email this to a friend (Opens in new window) ¦ Tweet ¦ Tweet this ¦ Pin it ¦ Email ¦ Print
        Facebook Twitter Email Print ¦ FacebookTwitterEmailPrint ¦ Facebook | X | Email | Print ¦ Facebook • Twitter • LinkedIn ¦ Twitter, Facebook, Email
        Share Tweet Email ¦ Save ¦ Save article ¦ Save for later ¦ Save this story ¦ Print this page ¦ Email this article ¦ Gift this article ¦ Copy link
        Link copied ¦ Link copied to clipboard ¦ 21k shares ¦ 1,204 shares ¦ 56 Shares ¦ Share with friends ¦ WhatsApp ¦ Facebook 12 Twitter 3
        Add to reading list ¦ Add to favorites ¦ Read this article later ¦ More sharing options ¦ Like this: ¦ View this post on Instagram
        A post shared by Harlow Fire (@harlowfire) ¦ Bookmark ¦ Share This Story Tweet Share Share Pin Email ¦ Share article""",
    "newsletter": """
        Subscribe ¦ Subscribe now ¦ Sign up ¦ Sign up today ¦ Log in ¦ Sign In ¦ Newsletter ¦ Donate ¦ Donate now ¦ Support us ¦ Newsletter Sign-Up
        Sign up for our newsletter ¦ Sign up for our newsletter. ¦ Sign up for our free daily newsletter today ¦ Subscribe to our newsletter
        Sign up for our newsletter: The Answer, every Friday ¦ Sign up for the Notebook, in your inbox by 7 a.m. ¦ Sign up for our Saturday letter
        Subscribe to continue reading ¦ Subscribe to continue ¦ Sign in to read the full story ¦ To continue reading, please log in ¦ Log in to continue
        To read the full story, subscribe or sign in. ¦ Get the latest news alerts ¦ Get our free newsletter delivered ¦ Get Breaking News Delivered to Your Inbox
        The day's top stories, delivered straight to your inbox ¦ Already a subscriber? Log in ¦ Not a subscriber? Join today ¦ Become a member
        Become a subscriber today ¦ Create a free account ¦ Create an account to save articles ¦ Start your free trial ¦ Enter your email ¦ Email address
        Enter your email address to subscribe ¦ Support local journalism ¦ Support independent journalism today ¦ Make a tax-deductible donation
        Subscribers only ¦ For subscribers ¦ This article is for subscribers only ¦ This content is only available to members ¦ You have 2 free articles remaining
        You've reached your limit of free articles ¦ You have reached your article limit this month ¦ By signing up, you agree to our Terms of Use.
        By continuing to use this site, you agree to our use of cookies ¦ Check your inbox for a confirmation ¦ Thanks for signing up! ¦ Unsubscribe
        Register for free to get breaking news alerts ¦ Subscribe for as little as $2 a month ¦ Subscribe to our podcast on iTunes ¦ My account
        Daily courthouse news in your inbox: sign up for our newsletter""",
    "related": """
        Read more: Council passes the budget, 5-4 ¦ READ MORE: Council passes the budget ¦ Read More » ¦ Read more ¦ Read next ¦ Read also: Who pays for it
        Related: What a detainer is, and what it is not ¦ Related ¦ RELATED STORIES ¦ Related Articles ¦ Related coverage: The strike, day by day
        See also: The 2019 report ¦ SEE ALSO ¦ Also read ¦ Most popular ¦ Most Read ¦ Trending ¦ Trending now ¦ Recommended for you
        You may also like ¦ You might also be interested in: ¦ Up next ¦ Up next: The farm bill ¦ Editors' Picks ¦ Editor’s picks ¦ Top Stories ¦ More stories
        More on this story ¦ More on this: Where the money went ¦ Don't miss: A night at the fair ¦ In case you missed it: Mayor quits ¦ ICYMI ¦ Go deeper
        WATCH: Mayor leaves the hall ¦ Watch live: Senate hearing ¦ LISTEN: The governor's call ¦ PHOTOS: Flood in the valley ¦ More: Mayor sues the county
        MORE ¦ Next article ¦ Previous story ¦ Latest headlines ¦ From our partners ¦ From the archives ¦ Tags ¦ Topics ¦ In this article ¦ Complete coverage
        Related - Drought deepens in the west ¦ [Read more: Drought deepens] ¦ Read the full story here ¦ Read more about the drought ¦ What to read next
        Visit the Courier homepage for more stories ¦ Must reads ¦ Read more on this story""",
    "tags": """
        Tags: immigration, border, courts ¦ TAGS: Drought ¦ Filed under: Courts ¦ Topics: Immigration ¦ Categories: News, Local ¦ Keywords: deportation
        Tagged with courts and jails ¦ #immigration #border ¦ #border ¦ In this article: Congress, Budget ¦ Posted in Local News""",
    "player": """
        Listen to this article ¦ Listen to this story ¦ Listen · 8:12 ¦ Listen to this article 5 min ¦ Listen (4 min) ¦ Play ¦ Pause ¦ Play video ¦ Play audio
        Watch live ¦ Watch now ¦ Watch the video ¦ Watch again ¦ Now playing ¦ 0:00 / 3:24 ¦ 00:00 ¦ 00:00 02:31 ¦ Mute ¦ Unmute ¦ Volume 90% ¦ Loaded: 0%
        Current Time 0:00 ¦ Duration 2:31 ¦ Remaining Time -2:31 ¦ Fullscreen ¦ Video ¦ Audio ¦ Transcript ¦ Show transcript ¦ Read transcript ¦ Subtitles
        Video player is loading ¦ This is a modal window. ¦ Beginning of dialog window. Escape will cancel and close the window. ¦ Toggle more options
        Your browser does not support the video tag. ¦ This video can not be played ¦ This article was narrated by a synthetic voice""",
    "page": """
        Skip to main content ¦ Skip to content ¦ Skip to navigation ¦ Jump to content ¦ Back to top ¦ Back to homepage ¦ Menu ¦ Search ¦ Home ¦ Close
        Home > News > Local ¦ Home / News ¦ Main menu ¦ Open menu ¦ Toggle navigation ¦ Loading... ¦ Close this window ¦ Loading comments ¦ Please wait... ¦ Show more ¦ View all
        Toggle caption ¦ Hide caption ¦ Show caption ¦ View image in fullscreen ¦ Open image in gallery ¦ Enlarge this image ¦ View gallery ¦ View full size
        1 of 12 ¦ 3/14 ¦ Image 1 of 4 ¦ next Image 1 of 2 ¦ Next ¦ Previous ¦ Privacy Policy ¦ Terms of Service ¦ Privacy Policy | Terms of Use | Contact us
        Advertise with us ¦ Your Privacy Choices ¦ Do Not Sell My Personal Information ¦ Open in app ¦ Download our app ¦ Get the Courier app ¦ Download
        Text size ¦ Dark mode ¦ https://example.org/a/b ¦ www.example.org ¦ example.com ¦ Sitemap ¦ Slideshow (4 Images) ¦ Expand ¦ Read less
        This is a rush transcript. Copy may not be in its final form.""",
    "popup": """
        This will close in 15 seconds ¦ This ad will close in 5 seconds ¦ Ad ends in 12s ¦ Video starts in 3 seconds ¦ This page will refresh in 30 seconds
        We use cookies to improve your experience. ¦ This website uses cookies ¦ Our site uses cookies to understand how you use it ¦ Accept all cookies
        Accept ¦ Accept All ¦ Reject all ¦ Manage preferences ¦ I accept ¦ Got it ¦ No thanks ¦ Not now ¦ Please enable JavaScript to continue.
        Please disable your ad blocker ¦ JavaScript is disabled in your browser ¦ It looks like you're using an ad blocker ¦ Are you a robot?
        Verify you are human""",
    "copyright": """
        Copyright 2025 The Civic Lamp. All rights reserved. ¦ © 2025 The Civic Lamp ¦ Copyright © 2024 Ridge Media LLC ¦ (c) 2023 Ridge Media ¦ Copyright © Ridge Media
        All rights reserved. ¦ Ridge Media Inc., all rights reserved ¦ This material may not be published, broadcast, rewritten or redistributed.
        Reprinted with permission. ¦ Republished with permission from Ridge ¦ This article was originally published by Ridge Magazine. ¦ Copyright
        This story first appeared in The Civic Lamp ¦ Our Standards: The Ridge Trust Principles. ¦ COPYRIGHT 2016 RIDGE""",
    "timestamp": """
        Updated 3:14 p.m. ¦ Updated 6:52 a.m. ¦ Updated at 5:18p.m. ET ¦ Published March 3, 2025 ¦ Published: Mar 3, 2025, 4:15 PM EST ¦ Posted 2 hours ago
        Last updated on March 3, 2025 at 4:15 pm ¦ Updated: 5:47 p.m. ET ¦ First published on Tue 3 Mar 2025 10.15 GMT ¦ Updated Wednesday 5/29 at 10:30 a.m. ET
        2 hours ago ¦ 45 minutes ago ¦ 6 years ago ¦ Just now ¦ March 4, 2025 6:30 AM ¦ 2025-03-03T10:15:00Z ¦ Tuesday, March 4, 2025 at 6:30 a.m. EST
        Modified 1 day ago ¦ Posted on March 3, 2025 by admin ¦ Last updated ¦ This article is more than 2 years old ¦ This is a developing story.
        This story has been updated. ¦ This story was updated at 8:30 p.m. ¦ More to follow... ¦ Updated just now""",
    "follow": """
        Follow us ¦ Follow us on Instagram ¦ Follow us on Facebook and X. ¦ Like us on Facebook ¦ Find us on Facebook ¦ Follow Dana Whitcomb on Twitter
        Follow Dana Whitcomb on Twitter: @dwhitcomb ¦ Follow me on X @dwhitcomb ¦ Follow @dwhitcomb ¦ @dwhitcomb ¦ Connect with us ¦ Follow
        Click here to sign up for alerts ¦ Click here for live fire maps ¦ CLICK HERE ¦ Click to enlarge ¦ Tap to expand ¦ Got a tip? Write to the desk.
        Got a news tip? Email tips@example.org ¦ Have a tip? ¦ Send tips to tips@example.org ¦ Dana Whitcomb can be reached at dana@example.org.
        dana@example.org ¦ Write to Dana Whitcomb at dana@example.org ¦ — Dana Whitcomb (@dwhitcomb) March 3, 2025 ¦ Using a mobile device? Click here
        To contact the editor, e-mail: desk@example.org ¦ Join us on Facebook""",
    "photo_credit": """
        Photo by Jo Varga/Civic Lamp ¦ Photo: Jo Varga ¦ Photos by Jo Varga ¦ Photo by R. Quist/Civic Lamp ¦ Photo by Staff Sgt. Meg Purcell/Ohio National Guard
        (AP Photo/Jo Varga) ¦ AP Photo/Jo Varga, File ¦ REUTERS/Jo Varga ¦ Jo Varga/Getty Images ¦ Jo Varga / AFP via Getty Images ¦ Jo Varga/AP ¦ Getty Images
        © Ridge Media ¦ Photo courtesy of the Aldous family ¦ Courtesy photo ¦ File photo ¦ Image: Jo Varga ¦ Image source, Getty Images ¦ Illustration by Jo Varga
        Credit: Jo Varga ¦ Credit...Jo Varga for The Civic Lamp ¦ Photo Credit: Jo Varga ¦ Photograph: Jo Varga/AP ¦ Jo Varga, Associated Press ¦ Photos
        Senator Ada Moss (Jo Varga/Reuters) ¦ Enlarge this image toggle caption Jo Varga/AP Jo Varga/AP ¦ Screenshot ¦ Jo Varga via AP""",
    "credit": """
        Meridian Post contributed to this report. ¦ The Associated Press contributed to this report. ¦ Jo Varga and Dana Whitcomb contributed reporting.
        Reporting by Jo Varga; Editing by Dana Whitcomb ¦ (Reporting by Jo Varga in Lima; editing by Dana Whitcomb) ¦ Additional reporting by Jo Varga
        Contributing: The Associated Press ¦ With files from The Canadian Press ¦ Associated Press writer Jo Varga contributed to this report from Lima.""",
    "section": "More from Opinion ¦ More from The Civic Lamp ¦ More from Dana Whitcomb",
}
"""Rule → lines that it must name, parted by ¦."""

ABROAD_JUNK = """
    Publicidad ¦ Anuncio ¦ Contenido patrocinado ¦ Tiempo de lectura: 3 minutos ¦ 4 min de lectura ¦ 12 comentarios ¦ Deja un comentario ¦ Compartir
    Compartir en Facebook ¦ Suscríbete ¦ Suscríbete a nuestro boletín ¦ Lea también: La ley que viene ¦ Te puede interesar ¦ Noticias relacionadas ¦ Leer más
    Síguenos en Instagram ¦ Todos los derechos reservados. ¦ © 2025 El Faro. Todos los derechos reservados ¦ Foto: Jo Varga ¦ Actualizado el 3 de marzo de 2025
    El artículo continúa después de la publicidad ¦ Recibe las noticias en tu correo ¦ Este sitio utiliza cookies propias. ¦ Foto de Jo Varga
    Prohibida su reproducción total o parcial. ¦ Con información de EFE ¦ Volver arriba
    Hace 3 horas ¦ Escuchar el artículo ¦ Etiquetas: migración, frontera ¦ Iniciar sesión ¦ Aceptar cookies ¦ Saltar al contenido ¦ Sigue leyendo
    Anzeige ¦ - Anzeige - ¦ Werbung ¦ Lesezeit: 3 Minuten ¦ Lesezeit ca. 4 Min. ¦ 3 Min. Lesezeit ¦ 12 Kommentare ¦ Kommentar schreiben ¦ Kommentare
    Teilen ¦ Auf Facebook teilen ¦ Artikel teilen ¦ Newsletter abonnieren ¦ Jetzt abonnieren ¦ Lesen Sie auch: Was das Urteil ändert ¦ Mehr zum Thema
    Auch interessant ¦ Weiterlesen ¦ Artikel anhören ¦ Folgen Sie uns auf Instagram ¦ Alle Rechte vorbehalten ¦ Foto: Jo Varga/dpa ¦ Bild: Jo Varga
    Aktualisiert am 3. März 2025, 14:30 Uhr ¦ Stand: 12.03.2025, 14:30 Uhr ¦ vor 3 Stunden ¦ Schlagwörter: Asyl, Grenze ¦ Alle akzeptieren ¦ Zum Inhalt springen
    Der Artikel läuft nach der Anzeige weiter ¦ Abonnieren Sie hier unseren Newsletter ¦ Das könnte Sie auch interessieren ¦ Nach oben
    Diese Website verwendet Cookies, um Inhalte anzuzeigen. ¦ Impressum ¦ Zur Startseite ¦ Anmelden ¦ Drucken
    Publicité ¦ Temps de lecture : 3 minutes ¦ Lecture 3 min. ¦ 4 min de lecture ¦ 12 commentaires ¦ Laisser un commentaire ¦ Réagir ¦ Partager
    Partager sur Facebook ¦ S'abonner ¦ S’abonner ¦ Abonnez-vous à notre newsletter ¦ Inscrivez-vous à notre infolettre ¦ Lire aussi : Ce que change la loi
    À lire aussi ¦ Article réservé aux abonnés ¦ La suite après cette publicité ¦ Écouter cet article ¦ Suivez-nous sur Facebook ¦ Tous droits réservés
    Photo : Jo Varga ¦ Crédit photo : Jo Varga ¦ Mis à jour le 3 mars 2025 à 14h30 ¦ Publié le 3 mars 2025 ¦ Il y a 3 heures ¦ Mots-clés : asile
    Sur le même sujet ¦ Articles similaires ¦ Nous utilisons des cookies pour mesurer l’audience. ¦ Haut de page ¦ Avec AFP
    Tout accepter ¦ Aller au contenu principal ¦ Mentions légales ¦ Lire la suite ¦ Cliquez ici pour vous abonner"""

COMPOSED = """
    Updated 3:14 p.m. · 4 min read ¦ Updated 3:14 p.m. | 4 min read ¦ Listen to this article – 4 min read – Share ¦ Comments • Share • Print
    Advertisement. Scroll to continue. ¦ Share » Print ¦ March 3, 2025 4:15 PM • 3 min read ¦ Close - Advertisement ¦ Like us on Facebook | Follow us on X"""

SURVIVES = """
    An advertisement for seasonal crews ran in two languages.
    Comments on the draft rule are due Friday.
    Share prices fell.
    Print is dead.
    Five minutes later he was gone.
    Watch what they do.
    Copyright law was rewritten in 2024.
    Follow the money
    Follow the money.
    What does the order change?
    Related charges were dropped.
    What do you think?
    “No comment.”
    He had no comment.
    The ads worked.
    Advertising pays for the rest.
    Sponsored by two Republicans, the bill passed.
    Sponsored by Sen. Ada Moss
    Two minutes to midnight
    The reading took four minutes.
    Read it twice.
    Read the order. It is four pages long.
    Eight people commented.
    Comments poured in.
    More than 4,000 comments were filed.
    The comments were closed by noon.
    Print.
    Listen.
    Pause.
    Share.
    Shares rose 3 percent.
    He owned 500 shares.
    Facebook declined to comment.
    Twitter is not a courtroom.
    Email is not private.
    Save the post office
    Save the whales
    Send the money home
    Post no bills
    Pin the blame on someone
    Send in the Guard
    Subscribers fled.
    Sign up for health insurance by Jan. 15.
    Sign up for a shift and you get lunch.
    Register to vote by Monday.
    Subscribe to that theory and anything follows.
    Get the vaccine.
    Get the application in by Friday.
    Get out the vote
    Receive no gifts, the manual says.
    Join the Army, his uncle said.
    Support local farmers, the sign said.
    Become a citizen and you can vote.
    Donate blood.
    Enter the lawyers
    The scam starts with a message in your inbox.
    By signing, he gave up the house.
    Related: he had also lost the farm.
    See also Section 12 of the act.
    Listen: nobody in that building will say the word.
    Watch: within a month they will deny it.
    More money, fewer nurses
    More from less
    Most read it and shrugged.
    Trending downward
    Next, the appeal
    Next year
    Previous convictions
    Tag him and he stays put.
    Topics ranged from corn to courts.
    Watch the border
    Play the long game
    Video shows the van.
    The video runs 2:31.
    Audio of the call was released.
    10:32 a.m.
    Monday, 9:15 a.m.
    March 3, 2025
    January 2019
    Two years ago
    Home again
    Home.
    Back to work
    Back to the top court
    Search for survivors ends
    Close the gate.
    Skip the line
    Menu prices rose.
    Loading docks were empty.
    1 of 12 jurors dissented.
    Privacy policy is a state matter.
    Terms of the deal were not disclosed.
    Contact tracing
    The store uses cookies as bait.
    We use cookies, flour and sugar in the booth.
    Accept the deal
    This will close three clinics.
    This session will begin in 5 weeks.
    (c) Any alien described in this section may be detained.
    Copyright was never the issue.
    He reserved all rights.
    The label read “All rights reserved,” the lawyer said.
    Updated figures are due in May.
    Published accounts differ.
    Posted signs warned of flooding.
    Updated twice, the forecast was still wrong.
    Find him on the porch most evenings.
    Follow the candidates on Facebook and you see two worlds.
    Like us, they were farmers.
    Click here, the message said.
    Send tips to the sheriff's office, the flyer said.
    Got a problem? Call the mayor.
    Images by satellite showed the dam.
    © Ridge The bishop was only warned by the court
    Photos by drone showed the pier gone.
    Photos of the two girls hung in the hall.
    Photo ID is required.
    Image is everything.
    Video: a body camera shows the door being forced.
    The photographer sued Getty Images.
    The pictures were sold via Getty Images.
    Credit unions objected.
    Credit: the nurses kept the doors open.
    File your taxes.
    Reporting by the newspaper found 40 such cases.
    Higher rents contributed to this pain.
    Editing by committee is slow work.
    Three economists contributed to the study.
    X
    IV
    24.
    1986.
    139,800.
    shares.
    close.
    Guest column
    Opinion
    What’s next
    By the numbers
    By Dana Whitcomb
    Why it matters
    The menu
    Loading docks were closed.
    Updated 2024 figures show a drop.
    Subscribe to the idea of freedom and you pay for it.
    Email the mayor if you disagree.
    Search teams found no one.
    Tagged deer crossed the river.
    Share of imports: 12%
    Print media
    Hashtags: a short history
    Mail ballots
    Mail
    Threads of doubt
    Telegram from Moscow
    Reply brief filed
    Die Anzeige wurde fallen gelassen.
    Werbung wirkt.
    Anzeige gegen den Minister
    Teilen ist schwer.
    Los comentarios cierran el viernes.
    Comparte piso con dos primos.
    Publicidad engañosa, dice el juez.
    Le partage des eaux
    Publicité mensongère
    Réagir vite, dit le maire.
    Photo de famille
"""


def lines(block: str) -> list[str]:
    """The lines of a block, parted by ¦ or standing in rows of their own."""
    return [line.strip() for row in block.splitlines() for line in row.split("¦") if line.strip()]


@pytest.mark.parametrize(("rule", "line"), [(rule, line) for rule, block in JUNK.items() for line in lines(block)])
def test_a_junk_line_is_named_by_its_rule(rule: str, line: str) -> None:
    assert junk_rule(line) == rule


@pytest.mark.parametrize("line", lines(ABROAD_JUNK))
def test_junk_is_known_in_spanish_german_and_french(line: str) -> None:
    assert junk_rule(line) in FORMS


@pytest.mark.parametrize("line", lines(COMPOSED))
def test_a_line_put_together_of_junk_is_junk(line: str) -> None:
    assert junk_rule(line) in FORMS


@pytest.mark.parametrize("line", lines(SURVIVES))
def test_a_line_of_an_article_stays(line: str) -> None:
    assert junk_rule(line) is None


@pytest.mark.parametrize("line", lines(SURVIVES))
def test_a_line_of_an_article_stays_in_quotes_and_capitals(line: str) -> None:
    assert junk_rule(f"“{line}”") is None


@pytest.mark.parametrize(
    "line", ["Subscribe to our newsletter and read on.", "Photo by Jo Varga shows the fence.", "Comments, he said, are welcome."]
)
def test_junk_within_a_sentence_is_no_junk(line: str) -> None:
    assert junk_rule(f"She laughed and said: {line}") is None


def test_case_spaces_and_typographic_apostrophes_do_not_matter() -> None:
    assert {junk_rule(line) for line in ("DON’T MISS: The fair", "Don't   miss:\tThe fair", "don't miss: THE FAIR")} == {"related"}


def test_a_line_longer_than_the_longest_is_never_junk() -> None:
    assert junk_rule("Read more: " + "A" * (LONGEST - 11)) == "related"
    assert junk_rule("Read more: " + "A" * (LONGEST - 10)) is None
    assert junk_rule("-" * (LONGEST + 1)) is None


def test_an_empty_line_is_no_junk() -> None:
    assert junk_rule("") is None


def test_every_rule_has_a_line_here_and_no_rule_abroad_is_without_one_at_home() -> None:
    assert [rule for rule, _ in RULES] == list(FORMS)
    assert set(JUNK) == {*FORMS, "decoration"}
    assert set(ABROAD) <= set(FORMS)
    assert set(FORMS) >= NAMES


def test_every_form_names_a_line_of_these_tables() -> None:
    every = [junk._plain(part) for line in lines("\n".join([*JUNK.values(), ABROAD_JUNK])) for part in (junk._core(line), line)]
    forms = [(rule, form) for table in (FORMS, ABROAD) for rule, some in table.items() for form in some]
    idle = [(rule, form) for rule, form in forms if not any(map(junk._compiled((form,)).fullmatch, every))]
    assert idle == []


def test_every_piece_is_used_and_every_group_is_closed() -> None:
    table = " ".join([*PIECES.values(), *(form for some in (FORMS, ABROAD) for forms in some.values() for form in forms)])
    assert {name for name in PIECES if f"{{{name}}}" not in table} == set()
    assert all(pattern.groups == 0 for _, pattern in RULES)


# 160 characters that nearly match, over and over: a pattern with more than one way to read them would not come back
OPENINGS = sorted({word for _, pattern in RULES for word in re.findall(r"[^\W\d_]{2,}", pattern.pattern)})
TAILS = ["", " ", ", ", " | ", "-", ": ", "... ", "/", "(", " 1 "]


@pytest.mark.timeout(60)
@pytest.mark.parametrize("tail", TAILS)
def test_a_hostile_line_is_answered_at_once(tail: str) -> None:
    for word in OPENINGS:
        assert junk_rule(((word + tail) * LONGEST)[: LONGEST - 1] + "q") in {None, *FORMS}


@pytest.mark.timeout(60)
def test_a_hostile_mixture_of_buttons_dates_and_dots_is_answered_at_once() -> None:
    for first, second in product(["x", "mail", "email", "print", "a.m.", "mar", "10", "1:1", "#a", "follow @a", "@", "/", ".", "ap", "by"], repeat=2):
        for space in ("", " ", ", "):
            assert junk_rule((f"{first}{space}{second}{space}" * LONGEST)[: LONGEST - 1] + "q") in {None, *FORMS}


@given(st.text(max_size=LONGEST))
def test_any_line_gets_a_rule_or_none(line: str) -> None:
    assert junk_rule(line) in {None, "decoration", *FORMS}


@given(st.lists(st.sampled_from([*OPENINGS, *TAILS, "@a", "10:10", "#"]), max_size=40))
def test_any_mixture_of_the_words_of_the_table_gets_a_rule_or_none(words: list[str]) -> None:
    assert junk_rule("".join(words)) in {None, "decoration", *FORMS}


EVERY = lines("\n".join([*JUNK.values(), ABROAD_JUNK, COMPOSED]))
SENTENCES = """
    The council voted six to three on Tuesday to keep the shelter open.
    “Nobody asked us,” said Dana Whitcomb, who has run the kitchen since 2011.
    A judge in El Paso gave both sides until the end of the month.
    Rents rose again, the third time this year.
    In the end the bridge was closed – for good, as it turned out.
    Dans la vieille ville, le maire a parlé de la rivière.
    Die Brücke über den Fluss bleibt bis zum Frühjahr gesperrt."""


@pytest.fixture
def asked_all_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few lines are asked as many are."""
    monkeypatch.setattr(junk, "ENOUGH", 0)


def test_every_line_that_a_rule_names_may_be_junk(asked_all_at_once: None) -> None:
    found = set(may_be_junk(EVERY))
    assert [line for index, line in enumerate(EVERY) if index not in found] == []


def test_few_lines_of_an_article_may_be_junk(asked_all_at_once: None) -> None:
    assert may_be_junk(lines(SENTENCES)) == []
    assert len(may_be_junk(lines(SURVIVES))) < len(lines(SURVIVES)) / 3  # though each was chosen because it looks like junk


def test_of_few_lines_all_may_be_junk() -> None:
    assert may_be_junk(["The bridge was closed."] * (ENOUGH - 1)) == list(range(ENOUGH - 1))
    assert may_be_junk(["The bridge was closed."] * ENOUGH) == []


def test_lines_may_be_junk_each_for_itself(asked_all_at_once: None) -> None:
    assert may_be_junk(["Close", "the gate.", "", "Share", "prices fell.", "4 Min Read"]) == [0, 2, 3, 5]
    assert may_be_junk([]) == []


decorations = st.sampled_from(
    ["", " ", "  ", "- ", "— ", "“", "”", "(", ")", ") ", "...", "…", ".", ":", " !", "📸 ", "[", "* ", "\u0130", "é", "4 ", "\udc80"]
)
separators = st.sampled_from([" | ", "|", " • ", "·", " » ", " - ", " – ", " — ", ". ", " ", "  "])
cases = st.sampled_from(
    [str, str.upper, str.title, str.lower, lambda line: line.replace("'", "’").replace("k", "\u212a"), lambda line: line.replace(" ", "  ")]
)
parts = st.builds(lambda before, line, case, after: before + case(line) + after, decorations, st.sampled_from(EVERY), cases, decorations)
mutated = st.one_of(
    parts,
    st.builds(lambda one, separator, other: one + separator + other, parts, separators, parts),
    st.builds(lambda line, at, put: line[: at % len(line)] + put + line[(at % len(line)) + 1 :], parts, st.integers(0, LONGEST), st.text(max_size=2)),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(mutated.map(lambda line: " ".join(re.split(r"[^\S ]", line))), min_size=20, max_size=60))
def test_no_line_that_a_rule_names_is_missed_however_it_is_written(some: list[str]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(junk, "ENOUGH", 0)
        found = set(may_be_junk(some))
    assert [line for index, line in enumerate(some) if junk_rule(line) and index not in found] == []


def test_two_letters_become_ascii_in_lower_case() -> None:
    found = [chr(code) for code in range(128, sys.maxunicode + 1) if chr(code).lower()[0].isascii() or len(chr(code).lower()) > 1]
    assert found == ["\u0130", "\u212a"]


def test_forms_are_written_in_what_their_loosened_form_knows() -> None:
    tokens = [token[1] for _, pattern in RULES for token in junk._TOKEN.finditer(pattern.pattern)]
    assert {token for token in tokens if re.fullmatch(r"\\[A-Za-z]", token)} <= {r"\d", r"\w", r"\W", r"\S", r"\b"}
    assert {token for token in tokens if token.startswith("[") and token[1] != "^" and re.search(r"\\[A-Zbs]", token)} == set()
    assert {"(", "^"}.isdisjoint(tokens)
