"""What people have read out, and how a reader of American English says it: written down before any of it was tried.

Words alone are given, in small letters, acronyms letter by letter; numbers have no "and", as nearly everywhere in gsv.
"""

SPOKEN: tuple[tuple[str, str], ...] = (
    # Chat
    ("lol idk, brb in 5 mins 😂", "l o l i d k b r b in five minutes"),
    ("OMG, I can’t believe it’s already 11pm!", "o m g i can't believe it's already eleven p m"),
    ("Thx! See you @ 7:30pm 👍", "thanks see you at seven thirty p m"),
    ("Wi-Fi’s down again… ttyl", "wi fi's down again t t y l"),
    ("Follow @gsv_voice and tag #VoiceClone2024!", "follow at g s v voice and tag voice clone twenty twenty four"),
    ("It’s 50/50, tbh.", "it's fifty fifty t b h"),
    ("Are you free Mon–Fri, 9–5?", "are you free monday to friday nine to five"),
    ("She said, “Don’t—please don’t—go.”", "she said don't please don't go"),
    # Prices
    (
        "Only $1,299.99 (was $1,499)!",
        "only one thousand two hundred ninety nine dollars and ninety nine cents"
        " was one thousand four hundred ninety nine dollars",
    ),
    (
        "The bag costs €45.50, about ¥7,500 or ₩62,000.",
        "the bag costs forty five euros and fifty cents about seven thousand five hundred yen"
        " or sixty two thousand won",
    ),
    (
        "They raised $3.5M at a $40M valuation.",
        "they raised three point five million dollars at a forty million dollar valuation",
    ),
    (
        "Pay USD 250 or EUR 199.99 by Friday.",
        "pay two hundred fifty u s dollars or one hundred ninety nine euros and ninety nine cents by friday",
    ),
    ("Chips are 99¢; a coke is $.75.", "chips are ninety nine cents a coke is seventy five cents"),
    (
        "Rent went from ₹18,500 to ₹21,000 a month.",
        "rent went from eighteen thousand five hundred rupees to twenty one thousand rupees a month",
    ),
    (
        "Shares fell 3.2% to $184.07.",
        "shares fell three point two percent to one hundred eighty four dollars and seven cents",
    ),
    ("Petrol is £1.45/L this week.", "petrol is one pound and forty five pence per liter this week"),
    ("AT&T spent $2bn on AI & ML.", "a t and t spent two billion dollars on a i and m l"),
    # Sports
    (
        "The Lakers beat the Celtics 112-108 in OT.",
        "the lakers beat the celtics one hundred twelve to one hundred eight in o t",
    ),
    ("Final score: Arsenal 3-1 Chelsea.", "final score arsenal three to one chelsea"),
    ("He ran the 100m in 9.58s.", "he ran the one hundred meters in nine point five eight seconds"),
    ("Djokovic won 6-4, 3-6, 7-5.", "djokovic won six to four three to six seven to five"),
    ("Super Bowl LVIII was in Las Vegas.", "super bowl fifty eight was in las vegas"),
    # History and books
    ("Henry VIII had 6 wives.", "henry the eighth had six wives"),
    (
        "World War II ended in 1945, not the 1950s.",
        "world war two ended in nineteen forty five not the nineteen fifties",
    ),
    ("See Chapter IV, Section 3.2, pp. 12-15.", "see chapter four section three point two pages twelve to fifteen"),
    (
        "King Charles III and Pope John Paul II met Louis XIV’s ghost.",
        "king charles the third and pope john paul the second met louis the fourteenth's ghost",
    ),
    ("Chapter 1 – The Boy Who Lived", "chapter one the boy who lived"),
    ("NASA’s Artemis II launches at T-10.", "nasa's artemis two launches at t minus ten"),
    # Addresses
    (
        "Send it to 221B Baker St., London NW1 6XE.",
        "send it to two hundred twenty one b baker street london n w one six x e",
    ),
    (
        "Dr. Lee lives at 1600 Pennsylvania Ave. NW.",
        "doctor lee lives at sixteen hundred pennsylvania avenue n w",
    ),
    ("Turn left on St. John St. after 2 mi.", "turn left on saint john street after two miles"),
    ("Apt. #4B, 12th floor, P.O. Box 88.", "apartment number four b twelfth floor p o box eighty eight"),
    (
        "Call (555) 123-4567 or +1 800-555-0199.",
        "call five five five one two three four five six seven"
        " or plus one eight zero zero five five five zero one nine nine",
    ),
    (
        "Email me at jane_doe99@mail.example.co.uk.",
        "email me at jane underscore doe ninety nine at mail dot example dot co dot u k",
    ),
    (
        "Docs: https://docs.example.com/v2/setup.html",
        "docs docs dot example dot com slash v two slash setup dot h t m l",
    ),
    # Doses and measures
    (
        "Take 500 mg of ibuprofen every 6-8 h.",
        "take five hundred milligrams of ibuprofen every six to eight hours",
    ),
    (
        "The dose is 0.5 mL/kg, max. 2x daily.",
        "the dose is zero point five milliliters per kilogram max two times daily",
    ),
    (
        "BP was 120/80 and temp 98.6°F.",
        "b p was one hundred twenty over eighty and temp ninety eight point six degrees fahrenheit",
    ),
    (
        "Vitamin B12, 1,000 mcg; D3, 2000 IU.",
        "vitamin b twelve one thousand micrograms d three two thousand i u",
    ),
    ("Give 10 µg/kg/min via IV.", "give ten micrograms per kilogram per minute via i v"),
    (
        "It was -12°C, i.e. about 10°F.",
        "it was negative twelve degrees celsius that is about ten degrees fahrenheit",
    ),
    ("Wind: 80 km/h, gusts to 50 mph.", "wind eighty kilometers per hour gusts to fifty miles per hour"),
    ("He’s 5'10\" and weighs 180 lbs.", "he's five foot ten and weighs one hundred eighty pounds"),
    ("Print it at 300 dpi on 8.5x11 paper.", "print it at three hundred d p i on eight point five by eleven paper"),
    ("The room is 3x4 m, or 12 m².", "the room is three by four meters or twelve square meters"),
    ("4K at 60fps needs 16GB of RAM.", "four k at sixty frames per second needs sixteen gigabytes of ram"),
    (
        "Lows of 3–5 °C tonight; -2 to 0 °C tomorrow.",
        "lows of three to five degrees celsius tonight negative two to zero degrees celsius tomorrow",
    ),
    (
        "Add 1½ cups of milk and ¾ tsp. salt.",
        "add one and one half cups of milk and three fourths teaspoon salt",
    ),
    # Dates and counts
    (
        "The meeting is on 2024-03-15 at 3:05pm.",
        "the meeting is on march fifteenth twenty twenty four at three oh five p m",
    ),
    (
        "Born Jan. 3, 1892; died Sept. 2, 1973.",
        "born january third eighteen ninety two died september second nineteen seventy three",
    ),
    ("Back in the ’90s, gen-Z wasn’t born.", "back in the nineties gen z wasn't born"),
    (
        "It took 1500 steps and 2,347 tries.",
        "it took fifteen hundred steps and two thousand three hundred forty seven tries",
    ),
    (
        "Only ~2/3 of users, e.g. admins, etc., agreed.",
        "only about two thirds of users for example admins et cetera agreed",
    ),
    # Code
    ("Run `pip install gsv` in Python 3.11+.", "run pip install g s v in python three point one one plus"),
    ("Use JSON, not XML, in the ChatGPT API.", "use json not x m l in the chat g p t a p i"),
    ("git push -f origin main && npm run build", "git push dash f origin main and n p m run build"),
    # Lyrics and names
    ("’Cause I’m ridin’ ’n’ rollin’, oh-oh-oh, yeah!", "cause i'm ridin n rollin oh oh oh yeah"),
    (
        "Mr. & Mrs. O’Connor met Beyoncé and Zoë at the café.",
        "mister and missus o connor met beyonce and zoe at the cafe",
    ),
    (
        "Prof. Müller vs. Dr. Nguyễn, No. 1 vs. No. 2",
        "professor muller versus doctor nguyen number one versus number two",
    ),
    ("Ｈｅｌｌｏ，ｗｏｒｌｄ！ ５０％ ｏｆｆ", "hello world fifty percent off"),
)
