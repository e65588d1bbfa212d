"""Codebooks for scripts/bench_zero_labels.py: the labels of public data sets, each defined in one sentence in our own words."""

from __future__ import annotations

from collections.abc import Mapping

from newsclf.codebook import Codebook

BBC = Codebook(
    task="topic",
    kind="exclusive",
    labels={
        "business": "Companies, markets, prices, banks, trade and the state of the economy.",
        "entertainment": "Films, music, television, books, awards, and the people who perform.",
        "politics": "Parties, elections, ministers, parliament, and what the government plans and decides.",
        "sports": "Matches, players, teams, tournaments, coaches and results.",
        "tech": "Computers, the internet, phones, software, games and the firms that make them.",
    },
)

R52 = Codebook(
    task="topic",
    kind="exclusive",
    labels={
        "earn": "A company reports its quarterly or yearly profit, loss, revenue or dividend per share.",
        "acq": "One company buys, merges with or takes a stake in another, or offers to.",
        "crude": "Crude oil: its price, output, fields, pipelines and refineries, and what oil exporting countries agree.",
        "trade": "Trade between countries: exports, imports, deficits, tariffs, quotas and disputes about them.",
        "money-fx": "Foreign exchange: the dollar, the yen and other currencies, and central banks that move or support them.",
        "interest": "Interest rates: a bank or central bank raises or cuts its prime, discount or lending rate.",
        "money-supply": "The amount of money in circulation, as M1, M2 and M3 figures that a central bank publishes.",
        "ship": "Ships, tankers, ports, freight by sea, and strikes or attacks that stop them.",
    },
)

GVFC = Codebook(
    task="framing",
    kind="multi",
    min_labels=1,
    max_labels=2,
    labels={
        "Economic consequences": "What guns and shootings do to business: gun sales, shares of gun makers, shops that stop selling, boycotts, costs.",
        "Gun control/regulation": "Laws and rules about guns: background checks, bans, age limits, and attempts to pass or loosen them.",
        "Gun/2nd Amendment rights": "The constitutional right to own and carry guns, the Second Amendment, gun owners who defend themselves.",
        "Mental health": "The shooter's mental illness or state of mind, its treatment, and signs that were missed.",
        "Politics": "Politicians, parties, elections and the gun lobby: who blames, supports or fights whom over guns.",
        "Public opinion": "What people think and do about guns: protests, marches, student walkouts, polls, celebrities who speak out.",
        "Race/Ethnicity": "The race, ethnicity, religion or immigrant status of shooters or victims; hate crimes and white supremacy.",
        "School/Public space safety": "Keeping schools, churches and public places safe: guards, armed teachers, drills, threats, lockdowns.",
        "Society/Culture": "Violence in culture and society: video games, films, the media, family, gangs, and what becomes of a community.",
    },
)

SEMEVAL = Codebook(
    task="stance",
    kind="exclusive",
    open_targets=True,
    targets={
        "Atheism": None,
        "Climate Change is a Real Concern": None,
        "Feminist Movement": None,
        "Hillary Clinton": None,
        "Legalization of Abortion": None,
    },
    labels={
        "AGAINST": "The writer opposes, rejects or attacks the target, or supports its opponents.",
        "FAVOR": "The writer supports, agrees with or praises the target, or attacks its opponents.",
        "NONE": "The writer takes no side on the target, or writes of something else.",
    },
)

CODEBOOKS: Mapping[str, Codebook] = {"bbc_news": BBC, "reuters21578_r52": R52, "gvfc": GVFC, "semeval2016_t6": SEMEVAL}
"""Folder of the data set → its codebook."""
