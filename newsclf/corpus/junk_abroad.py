"""The junk table in Spanish, German and French: the lines that pages in these languages have in common. Forms read as in `junk_forms`."""

from __future__ import annotations

ABROAD: dict[str, tuple[str, ...]] = {
    "advertisement": (
        r"(publicidad|anuncios?|contenido patrocinado|patrocinado)$",
        r"(el artículo |la noticia )?continúa (después|debajo) de la publicidad",
        r"(anzeigen?|werbung|gesponsert|advertorial)$",
        r"(der )?artikel (läuft|geht) (weiter )?(nach|unter) der (anzeige|werbung)( weiter)?",
        r"(publicité|annonce|contenu sponsorisé|contenu partenaire)$",
        r"la suite après (la|cette) publicité",
    ),
    "reading_time": (
        r"(tiempo de lectura|lectura|lesezeit|lesedauer|temps de lecture|lecture) ?\W{0,2} ?(de |ca\. )?\d{1,3} ?min(ute|uto)?[ns]?\.?",
        r"\d{1,3} ?min(ute|uto)?[ns]?\.? (de lectura|lesezeit|lesedauer|de lecture|lesen)",
    ),
    "comments": (
        r"{count} (comentarios?|kommentare?|commentaires?)",
        r"(comentarios|kommentare|commentaires)( \(?\d+\)?)?$",
        r"(deja|dejar|escribe|añade|ver) (un |tu |los |todos los )?comentarios?",
        r"(kommentare? (schreiben|verfassen|anzeigen|lesen|abgeben)|(jetzt )?kommentieren|diskutieren sie mit)$",
        r"(laisser|ajouter|poster|voir|lire) (un |les |tous les )?commentaires?|réagir$",
    ),
    "share": (
        r"(compartir|comparte|compártelo|teilen|merken|drucken|partager|imprimer|envoyer|copiar enlace|link kopieren|copier le lien)$",
        r"(comparte?i?r? (este |esta |el |la )?(artículo|noticia|nota)|(diesen )?artikel teilen|partager (cet |l')article)",
        r"((compartir|comparte) (en|por)|partager (sur|par)|(auf|per|über|via)) {network}( teilen)?",
    ),
    "newsletter": (
        r"(suscríbete|suscribirse|suscríbase|regístrate|iniciar sesión|abonnieren|jetzt abonnieren|anmelden|registrieren)$",
        r"(s'abonner|abonnez-vous|s'inscrire|se connecter|inscrivez-vous)$",
        r"(suscríbete|suscríbase|apúntate|regístrate) (a |en |para ).{0,50}\b(newsletters?|boletín|boletines|leyendo)\b.{0,20}",
        r"(recibe|recibir) .{2,60}\b(correo|newsletter|boletín)\b.{0,20}",
        r"(jetzt )?(unseren |den |zum |zu unserem |kostenlosen )*newsletter.{0,30} (abonnieren|anmelden|bestellen)",
        r"(abonnieren sie|melden sie sich) .{0,40}\bnewsletter\b.{0,20}",
        r"(abonnez-vous|inscrivez-vous|recevez) .{0,60}\b(newsletters?|infolettres?|lettre d'information|courriel)\b.{0,20}",
        r"(article|contenu) réservé aux abonnés|(contenido|artículo|solo) (exclusivo )?para suscriptores|nur für abonnenten",
    ),
    "related": (
        r"(lea|lee|leer|mira|vea|ver) (también|más)( ?[:|] ?\S.*)?",
        r"(te puede interesar|le puede interesar|más información|noticias relacionadas|artículos relacionados|lo más (leído|visto))( ?: ?\S.*)?",
        r"(lesen sie (auch|mehr|dazu)|mehr (zum thema|dazu)|auch interessant)( ?[:|] ?\S.*)?",
        r"(zum thema|meistgelesen|das könnte sie auch interessieren)$",
        r"(weiterlesen|mehr lesen|mehr anzeigen|zur startseite|seguir leyendo|sigue leyendo|lire la suite|voir plus|en savoir plus)$",
        r"(à )?(lire|voir|écouter|lisez) (aussi|également)( ?[:|] ?\S.*)?",
        r"(sur le même sujet|articles? (liés|similaires)|les plus lus|à ne pas manquer|notre dossier)( ?: ?\S.*)?",
    ),
    "tags": (r"(etiquetas|archivado en|temas|schlagwörter|schlagworte|themen|mots-clés|étiquettes|thèmes) ?: ?\S.*",),
    "player": (
        r"(escuchar|escucha|reproducir) (el |la |este |esta )?(artículo|noticia|audio|vídeo|video).{0,12}",
        r"((diesen )?artikel (anhören|vorlesen( lassen)?)|(video|audio) (abspielen|starten|ansehen)).{0,12}",
        r"(écouter|regarder|lire) (cet |l'|la )?(article|audio|vidéo).{0,12}",
    ),
    "page": (
        r"(saltar|ir) al contenido( principal)?|(zum|direkt zum) (haupt)?inhalt( springen)?|aller au contenu( principal)?",
        r"(aviso legal|política de (privacidad|cookies)|impressum|datenschutz(erklärung)?|mentions légales|politique de confidentialité)$",
        r"(volver arriba|nach oben|zurück|retour en haut|haut de page)$",
    ),
    "popup": (
        r"(aceptar|rechazar)( todas?)?( las)? cookies$",
        r"(alle )?(cookies )?(akzeptieren|ablehnen)$",
        r"tout (accepter|refuser)$|(accepter|refuser) (tous )?les cookies$",
        r"(este sitio|esta web) (utiliza|usa) cookies\b.{0,90}",
        r"(diese (website|seite)|wir) (verwende[nt]|nutz(t|en)) cookies\b.{0,90}",
        r"(ce site|nous) utilis(e|ons) des cookies\b.{0,90}",
    ),
    "copyright": (
        r"(?=.*todos los d)(.{0,80}[.,;|–-] ?)?todos los derechos reservados\b.{0,60}",
        r"(?=.*alle rechte)(.{0,80}[.,;|–-] ?)?alle rechte vorbehalten\b.{0,60}",
        r"(?=.*tous droits)(.{0,80}[.,;|–-] ?)?tous droits réservés\b.{0,60}",
        r"(prohibida su reproducción|reproduction interdite|nachdruck verboten)\b.{0,60}",
    ),
    "timestamp": (r"(hace|vor|il y a) \d{1,2} (minutos?|horas?|días?|minuten?|stunden?|tagen?|minutes?|heures?|jours?)$",),
    "follow": (
        r"(síguenos|síganos|sigue a .{2,30}) (en|por) .{2,60}",
        r"(folgen sie uns|folge uns) (auf|bei) .{2,60}",
        r"(suivez-nous|suivez .{2,30}) sur .{2,60}",
        r"(haz|haga) clic aquí.{0,60}|(hier klicken|klicken sie hier).{0,60}|cliquez ici.{0,60}",
    ),
    "photo_credit": (
        r"(fotos?|fotografía|imagen|bild(er)?|foto-?quelle|bildquelle|quelle|crédits? photo|photos?|crédits?) ?: ?.{2,80}",
        r"(foto|fotos) (de|von) .{2,60}",
    ),
    "credit": (r"(con información de|mit material von|avec) {agency}( .{2,30})?",),
}
"""Rule of `junk_forms` → its forms in other languages."""
