"""The words of the made-up language, as plain lists; `facts.py` makes sentences of them."""

# ruff: noqa: SIM905 - lists of words read best as plain text

FIRST_NAMES = """
Ada Aiko Alma Amir Anya Arlo Bela Bo Carla Cyrus Dara Dina Edda Emil Enzo Esme Fay Femi Finn Gia
Goran Hana Hugo Ida Ilya Ines Ivo Jada Jonas Juna Kai Kira Lars Leila Lior Luca Mara Milo Mina Nadia
Nils Noa Odin Olga Omar Oskar Petra Pia Quinn Rafi Rhea Rosa Sami Selma Tariq Tessa Uma Viggo Vera
Wanda Xenia Yara Yuri Zoe
""".split()
LAST_NAMES = [
    first + second
    for first in ("Ash", "Birch", "Elm", "Fair", "North", "Stone", "West", "Wind")
    for second in ("born", "field", "ford", "gate", "land", "man", "ridge", "wood")
]
CITIES = """
Accra Algiers Amman Ankara Athens Baku Bamako Beirut Belgrade Berlin Bogota Brussels Budapest Cairo
Caracas Copenhagen Dakar Delhi Dhaka Dublin Geneva Hanoi Havana Helsinki Istanbul Jakarta Kabul
Kampala Kigali Lagos Lima Lisbon London Luanda Madrid Manila Marrakesh Mumbai Nairobi Naples Oslo
Ottawa Paris Prague Quito Riga Rome Santiago Seoul Sofia Stockholm Sydney Tallinn Tbilisi Tehran
Tokyo Toronto Tunis Valencia Venice Vienna Vilnius Warsaw Zagreb
""".split()
ANIMALS = """
badger beetle camel canary cat cheetah cobra cow crab crow deer dog dolphin donkey dove duck falcon
ferret finch fox frog goat goose hamster hare hawk hedgehog heron horse lizard llama magpie monkey
moth mouse mule parrot peacock pelican penguin pig pigeon pony rabbit raven robin salmon seal sheep
snail sparrow spider stork swan tiger toad tortoise turkey turtle walrus whale wolf wombat zebra
""".split()
INSTRUMENTS = """
accordion bagpipes balalaika banjo bassoon bells bongos bugle castanets celesta cello clarinet
clavichord cornet cymbals djembe drums dulcimer fiddle flute glockenspiel gong guitar harmonica
harmonium harp harpsichord horn kazoo lute lyre mandolin maracas marimba oboe ocarina organ piano
piccolo recorder saxophone sitar spinet tabla tambourine theremin triangle trombone trumpet tuba
ukulele vibraphone viola violin whistle xylophone zither
""".split()
ADJECTIVES = """
bright broad calm cold dark deep dry dusty empty gentle golden green grey heavy hidden high late
little lonely long narrow new old pale plain quiet round rusty silent slow small soft steep tall
warm wet white wide wild yellow
""".split()
NOUNS = """
bench bridge candle cellar chimney cloud door fence field forest fountain garden gate hall harbour
hill island kettle ladder lake lantern market meadow mill mirror mountain orchard path pond river
road roof shadow shore stone storm stream table tower valley wall well wheel wind window
""".split()
VERBS = """
bends drifts falls fades gleams leans lies moves rests rises shines sleeps stands turns
""".split()
PREPOSITIONS = "above across against behind below beside beyond near over past under".split()
ADVERBS = "again alone always barely early often once only slowly softly still there today".split()
