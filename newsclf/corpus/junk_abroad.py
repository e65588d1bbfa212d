"""Junk lines in Spanish, German and French: rule → forms, read as those of `junk_forms`."""

from __future__ import annotations

ABROAD: dict[str, tuple[str, ...]] = {
    "advertisement": (
        r"(publicidad|anuncio|contenido patrocinado)$",
        r"(anzeige|werbung|sponsored post)$",
        r"(publicité|annonce|contenu sponsorisé)$",
    ),
    "reading_time": (
        r"(tiempo de lectura\W{0,3})?\d{1,3} min(uto)?s?( de lectura)$",
        r"tiempo de lectura\W{0,3}\d{1,3} min(uto)?s?",
        r"lesezeit\W{0,3}(ca\. ?)?\d{1,3} min(ute)?n?|\d{1,3} min(uten)?\.? lesezeit",
        r"temps de lecture\W{0,3}\d{1,3} min(ute)?s?|lecture ?: ?\d{1,3} min(ute)?s?\.?|\d{1,3} min(ute)?s? de lecture",
    ),
    "comments": (
        r"{count} (comentarios?|kommentare?|commentaires?)",
        r"(ver|añadir|dejar|escribir)( un| los)? comentarios?|(comentar|comentarios)$",
        r"(kommentar (schreiben|verfassen)|kommentare (anzeigen|lesen)|kommentare)$",
        r"(laisser|ajouter|écrire) un commentaire|(voir|lire) les commentaires|commentaires$",
    ),
    "share": (
        r"(compartir|teilen|partager)( (en|auf|sur) ({network}))?$",
        r"(compartir este artículo|artikel teilen|partager cet article)",
    ),
    "newsletter": (
        r"(suscríbete|suscribirse|suscríbase)( (a|al) .{2,60})?$",
        r"(newsletter|jetzt) (abonnieren|bestellen)|(den |unseren )?newsletter abonnieren",
        r"(abonnez-vous|s'abonner|inscrivez-vous)( (à|au) .{2,60})?$",
    ),
    "related": (
        r"(lea también|le puede interesar|lee también|relacionad[oa]s?|más información)( ?: ?.{2,130})?$",
        r"(lesen sie auch|mehr zum thema|das könnte sie auch interessieren|lesen sie mehr)( ?: ?.{2,130})?$",
        r"(lire aussi|à lire aussi|sur le même sujet|en savoir plus)( ?: ?.{2,130})?$",
    ),
    "copyright": (
        r"(todos los derechos reservados|alle rechte vorbehalten|tous droits réservés).{0,60}",
    ),
}  # fmt: skip
"""Rule → its forms in other languages."""
