"""Homographs are told apart by the words around them, in plain sentences.

In a sentence [word:V] is to be read as the verb, [word:N] as the noun or adjective. For "read" V is the present (reed)
and N the past (red), for "used" V is the participle (yoozd) and N the habit (yoost), for "lead" N is the metal, and for
"complex" V is the adjective.
"""

import re

import pytest

from gsv.text import english
from gsv.text.english import homographs

SENTENCES = """
I [read:V] books every day.
I have [read:N] it.
They [read:N] it yesterday.
She [read:N] the letter aloud.
Have you ever [read:N] this poem?
Did you [read:V] the news?
[Read:V] the next page.
He wants to [read:V] more.
The book was [read:N] by millions.
We will [read:V] it tomorrow.
It is a good [read:V].
Can she [read:V] music?
He [read:N] every word before he signed.
I don't [read:V] the comments.
You should [read:V] the manual first.
When I was ten, I [read:N] a whole book in a day.
I had never [read:N] anything like it.
Children [read:V] better when they sleep well.
[Close:V] the door, we are [close:N].
Please [close:V] your eyes.
They live [close:N] to the station.
Stay [close:N] to me.
It was a very [close:N] game.
She tried to [close:V] the window.
My [close:N] friend called.
The shops [close:V] at nine.
Don't come too [close:N].
The [wind:N] blew all night.
Remember to [wind:V] the clock.
A cold [wind:N] came from the north.
The [wind:N] will [wind:V] the flag around the pole.
They [live:V] near the [live:N] music hall.
We [live:V] in a small town.
Where do you [live:V]?
The match was broadcast [live:N].
I used to [live:V] there.
It was a [live:N] show.
Cats have nine [lives:N].
She [lives:V] alone.
He [lives:V] in Paris.
They saved many [lives:N].
Our [lives:N] changed.
She will [lead:V] us to the [lead:N] mine.
The old [lead:N] pipe leaked.
They [lead:V] the way.
He took the [lead:V] in the race.
The paint was made of [lead:N].
A [tear:N] ran down her face.
Do not [tear:V] the paper.
[Tears:N] filled his eyes.
She burst into [tears:N].
Be careful not to [tear:V] it.
He [wound:V] up the toy.
The [wound:N] healed slowly.
The doctor cleaned the [wound:N].
The [dove:N] sat on the roof.
She [dove:V] into the water.
They broke the [record:N].
We want to [record:V] a song.
Please [record:V] your message after the tone.
She holds the world [record:N].
He will [record:V] a new [record:N].
The [records:N] were kept in the cellar.
It [records:V] every sound.
This machine [records:V] the temperature.
The soldiers [desert:V] the [desert:N].
They crossed the [desert:N] by night.
I [object:V] to that.
It was a strange [object:N].
He [objects:V] to the plan.
Several [objects:N] fell from the shelf.
Would you [object:V] to that?
She gave me a [present:N].
Let me [present:V] our guest.
They will [present:V] the prize tonight.
At [present:N] we have no news.
All the [presents:N] were under the tree.
The farm can [produce:V] a lot of food.
The shop sells fresh [produce:N].
Farmers [produce:V] the food we eat.
Bees [produce:V] honey.
I [refuse:V] to answer.
They [refuse:V] to pay.
The [refuse:N] was collected on Monday.
You need a [permit:N] to fish here.
We cannot [permit:V] that.
The rules do not [permit:V] smoking.
The school [house:N] is old.
They need to [house:V] ten families.
My [house:N] is by the river.
May I [use:V] your phone?
What is the [use:N] of it?
[Use:V] the other door.
We [use:V] it every day.
It's no [use:N] crying.
The [uses:N] of salt are many.
She [uses:V] a cane.
He [used:N] to smoke.
I am [used:N] to the noise.
You get [used:N] to it.
They [used:V] the back door.
It is [used:V] to make glass.
She has [used:V] all the paper.
He sold a [used:V] car.
We didn't [excuse:V] him.
That is no [excuse:N].
[Excuse:V] me, please.
The two friends had a [conflict:N].
Their stories [conflict:V] with each other.
The [conflict:N] lasted for years.
Sales will [increase:V] next year.
There was an [increase:N] in sales.
Prices [increase:V] every year.
The [increase:N] was small.
We saw a steady [decrease:N].
They plan to [decrease:V] the dose.
The singer signed a [contract:N].
Metals [contract:V] when they cool.
Under the [contract:N] he must pay.
He has a [contract:N] with them.
Can you [estimate:V] the cost?
This is only an [estimate:N].
My [estimate:N] was wrong.
They live in [separate:N] houses.
We need to [separate:V] the two.
Keep them [separate:N].
He works for a [separate:N] company.
I am a [graduate:N] student.
She will [graduate:V] in May.
Students [graduate:V] in June.
What [subject:N] do you teach?
The [subject:N] was changed.
They [subject:V] the metal to great heat.
The police [suspect:V] him.
The [suspect:N] fled.
I [suspect:V] that he lied.
They made great [progress:N].
The work will [progress:V] slowly.
The [project:N] failed.
They [project:V] a loss this year.
Our new [project:N] starts now.
[Perfect:N] weather for a walk.
She wants to [perfect:V] her French.
Nobody is [perfect:N].
He will [transport:V] the goods.
Public [transport:N] is cheap here.
The country [exports:V] its oil.
[Exports:N] rose by half.
They [import:V] tea from India.
The [import:N] of tea was banned.
An [insult:N] like that hurts.
Don't [insult:V] my mother.
They [protest:V] against the law.
The [protest:N] was peaceful.
Thousands joined the [protests:N].
The [rebel:N] army fled.
They will [rebel:V] against the king.
The [convict:N] escaped.
They could not [convict:V] him.
The [content:N] of the letter was secret.
I am [content:V] with my life.
Pour out the [contents:N] of the box.
The [complex:V] problem took days.
They built a large sports [complex:N].
It is a very [complex:V] issue.
We must [conduct:V] a survey.
His [conduct:N] was bad.
They did a [survey:N] of the land.
It is hard to [survey:V] the damage.
The rules [affect:V] everyone.
How does this [affect:V] you?
The garden [upset:V] him.
She wants to [advocate:V] for peace.
He is an [advocate:N] of reform.
They [associate:V] red with danger.
My [associate:N] will help you.
The [delegates:N] voted.
[Combine:V] the eggs and the flour.
He bought a [compact:N] car.
The [invite:N] came by mail.
They [invite:V] us every year.
I need to [resume:V] my work.
She sent her [resume:N] to the firm.
[Insert:V] the coin here.
You may [attribute:V] it to luck.
Kindness is his best [attribute:N].
They [deliberate:V] for hours.
It was a [deliberate:N] lie.
The [alternate:N] route is longer.
That is the [appropriate:N] answer.
The [approximate:N] cost is ten dollars.
It takes a [moderate:N] amount of time.
He will [moderate:V] the debate.
She is an [intimate:N] friend.
The engineers [process:N] the data.
This [process:N] is slow.
The [analyses:N] took days.
The teacher [learned:V] a lot.
He is a [learned:N] man.
The [blessed:N] child slept.
Try to [relay:V] the message.
The team won the [relay:N].
They offer a full [refund:N].
We will [refund:V] your money.
I had to [reject:V] the offer.
The town [hosts] a [concert:N] every week.
The [entrance:N] is on the left.
A [digest:N] of the news is sent daily.
Snakes [digest:V] food slowly.
The army will [combat:V] crime.
He died in [combat:N].
The [upgrade:N] is free.
You can [upgrade:V] the system.
He opened his [mouth:N].
They [torment:V] the poor dog.
The [discount:N] ends today.
We cannot [discount:V] that.
It had a big [impact:N].
It will [impact:V] us all.
The committee will [present:V] its report on Monday.
[Present:N] company excepted, nobody complained.
Her [record:N] of service was flawless.
Scientists [record:V] earthquakes with special tools.
He broke his own [record:N] in the marathon.
To [record:V] the sound, press the red button.
The company refused a [refund:N].
A [close:N] relative [lives:V] there.
Many people [live:V] below the poverty line.
The band plays [live:N] music every night.
Their [lives:N] depend on it.
Who [lives:V] in this [house:N]?
She [read:N] three novels last summer.
He reads and I [read:V] too.
After dinner we sat down and [read:N] the paper.
Let's [read:V] it together.
I've [read:N] every page.
The letter was [read:N] aloud in court.
Do you know how to [read:V] a map?
Reporters will not [use:V] the document.
There is little [use:N] in waiting.
We [used:N] to play here as children.
The machine [used:V] a lot of power.
What tools are [used:V] to build a boat?
Are you [used:N] to the cold?
The [suspect:N] was held for two days.
Police [suspect:V] foul play.
Many residents [object:V] to the new road.
The museum displays every [object:N] in a case.
Does the law [permit:V] this?
His work [permit:N] expired.
Trade between the countries will [increase:V].
Taxes [increase:V] again next month.
A sharp [increase:N] surprised everyone.
The [contract:N] was signed in May.
Muscles [contract:V] under stress.
This [project:N] will take years.
I [project:V] my voice when I speak.
The [rebels:N] attacked at dawn.
Teenagers [rebel:V] against their parents.
The [desert:N] stretches for miles.
Never [desert:V] a friend.
Please [separate:V] the whites from the colors.
That is a [separate:N] matter.
He gave a rough [estimate:N] of the cost.
Experts [estimate:V] the damage at ten million dollars.
The [house:N] was empty.
The shelter can [house:V] fifty dogs.
He had no [excuse:N] for being late.
It was a [perfect:N] day.
Practice will [perfect:V] your skills.
The [wind:N] howled through the trees.
Roads [wind:V] through the hills.
The river [winds:V] through the valley.
Strong [winds:N] are expected.
You have to [wind:V] it every day.
She wiped away a [tear:N].
You might [tear:V] your shirt on that nail.
The soldier's [wound:N] was deep.
Ivy [wound:V] around the pole.
They [lead:V] a quiet life.
Water pipes made of [lead:N] are dangerous.
Our team is in the [lead:V].
[Exports:N] to Asia fell.
An expert will [conduct:V] the [survey:N].
The court found his [conduct:N] improper.
The [subject:N] of the talk was art.
I will not [subject:V] you to that.
They [produce:V] about ten tons of wheat a year.
The [produce:N] section is by the door.
Our [lives:N] are short.
It [lives:V] in the sea.
He graduated with honors, and his sister will [graduate:V] soon.
They [protest:V] every weekend.
A peaceful [protest:N] took place.
The [conflict:N] between them grew.
Those two reports [conflict:V].
How do they [transport:V] the horses?
Public [transport:N] was late.
You can [import:V] the file and [export:V] the result.
He invited me to [contest:V] the decision.
She won the [contest:N].
I [suspect:V] that he will [refuse:V].
The [insult:N] hurt her.
This will [affect:V] millions.
To [delegate:V] is to trust.
Each [delegate:N] has one vote.
[Combine:V] sugar and butter.
It is [close:N] to midnight.
We were [close:N] once.
[Close:N] to the river stood a mill.
I need to [close:V] my account.
Could you [close:V] that?
The [content:N] was great.
We must [convert:V] the file.
New [converts:N] joined the church.
She [converts:V] old barns into homes.
The [dove:N] flew away.
The children [dove:V] into the pool.
Is there a [use:N] for this?
"""
MARKED = re.compile(r"\[([A-Za-z]+)(?::([VN]))?\]")


@pytest.mark.parametrize("marked", SENTENCES.strip().splitlines())
def test_homographs_are_read_by_their_context(marked: str) -> None:
    text = MARKED.sub(r"\1", marked)
    expected = [
        (word, homographs.readings(word.lower())[reading == "N"]) for word, reading in MARKED.findall(marked) if reading
    ]
    read = [(word.token, word.phones) for word in english.words(english.normalize(text)) if word.source == "homograph"]
    assert [pair for pair in read if pair[0] in dict(expected)] == expected
