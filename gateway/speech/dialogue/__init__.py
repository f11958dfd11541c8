"""`offhook-form-1`: a deterministic dialogue model that fills the parameters of the tools it is offered.

It gets what any OpenAI model gets (system prompt, messages, tools) and derives everything from that: it keeps no
state, so another model may have spoken the turns before, and the same request always gets the same answer. What
follows is the convention by which tools and a system prompt are read. It uses nothing a cloud model would not
understand and only JSON Schema keywords that strict tool schemas may carry.

Tools
-----
*Form*: a tool with properties. Its properties are asked for one at a time, in schema order.

- **Running form**: every property may be absent (it accepts null, or isn't in `required`). The tool is called with
  the new facts as they arrive, null or nothing for the rest. Each property is asked for; a caller who says "I don't
  know" or "skip" isn't asked again. At the end everything is read back; a correction is saved by another call.
- **Closed form**: at least one property can't be absent. The tool is called once, when all those are known and the
  caller has confirmed them. Properties that may be absent are not asked for, only taken when the caller offers them.
- A property whose description says "optional", "if given", "if mentioned", "if known" or "only if" is never asked
  for in either form, only taken when offered. Objects are not asked for.
- Several forms: the first is filled; the others are left to models that can choose.

*Person*: a tool whose name or description speaks of a person, human, operator, representative, colleague, handing
over, transfer or escalation, and that isn't a form for something else (it has no property that must be given but a
reason or topic). Called at once for "a person, please", "operator", "human", "agent", and for 0 on the keypad.

*End*: a tool whose name speaks of ending, hanging up or goodbye (`end_call`, `hang_up`, `finish`). Called for "bye" and
"that's all", and after the last question of a conversation was answered by "no, that's all".

Any other tool is never called.

Properties
----------
`description` is a noun phrase for what is wanted ("the caller's name", "your company", "number of people in the
team"): "the caller's", "the customer's" and "the user's" are spoken as "your", and the question is formed from it
and the type. A description may hold the question itself, as a sentence that ends in "?", and is then asked so:
"The caller's team size. How many people would use it?" A second question is how it is asked again. Without a
description the property's name is the noun phrase (`team_size`: "your team size").

The kind of answer follows from the schema, first match:

====================  ==========================================================================================
`enum`                one of the values; asked with the values, matched on their words ("the second one" too)
boolean               yes or no
integer, number       a number in words or digits ("about fifty thousand dollars": 50000, "a dozen": 12)
`format: email`       an address as spoken ("anna dot smith at acme dot com"); also a name with "email"
`pattern` of digits   digits, spoken or keyed: `^[0-9]{4}$` also says how many are wanted
name has "phone",     digits as well
 "pin", "code",
 "number"
name has "budget",    money: the amount as digits ("50000") when it is a string, as a number when it is one
 "price", "amount"
name has "company",   the words that remain when "I work for", "it's" and the like are taken away, capitalised;
 "name"               letters one by one ("s m i t h") are a spelled name
string, array         the caller's words as they are (an array gets one string)
====================  ==========================================================================================

A caller's digits from the keypad are a user message of digits, `*` and `#` alone ("4172#"), or one that starts with
"[keypad]" or "DTMF:". "0" alone asks for a person, unless digits are being asked for and more than one is wanted.
"[keypad: ticket number entered]" tells that the property of that noun was keyed in and saved where the model sees
nothing of it; it isn't asked for again, nor read back. Any other message that starts with "[keypad:" tells of keys
that couldn't be saved.

A boolean whose name or description says solved, resolved, fixed or helped isn't asked: it is the outcome of the
steps below. A property with "tried" or "steps" in its name isn't asked either: it lists the steps that were tried.

Results
-------
A tool's result is spoken when it is JSON with a string `say`, or text that starts with "say:"; any other result is
only taken note of. `{"error": "…"}`, or text that starts with "error" or "An internal error", makes the model say
that it couldn't do it, and offer a person. An *end* tool's result is answered by one goodbye, unless the goodbye
was said in the same turn.

System prompt
-------------
Free text for a cloud model; the local one reads lines that start with one of these words and a colon (a remark in
parentheses may stand before the colon). The rest of the line, or the lines below that start with "- ", are its items:

- `Ask: name, company, budget` – which properties are asked for, in this order; the others are only taken when
  offered. `Ask: nothing` asks for none.
- `Never: quote prices; promise dates` – a question about one is answered by "I can't quote prices", and a person
  is offered.
- `Facts:` one a line, `- Opening hours: Monday to Friday, nine to five.` A question whose words fit the topic or the
  sentence is answered by the sentence, then the conversation goes on where it was.
- `Steps:` one a line, `- Unplug the router for ten seconds.` or `- internet, wifi: Unplug the router.` They are offered
  one at a time, once the form's first property is known and before the rest is read back, those with topics only
  when the caller's words hold one. After each the caller is asked whether it helped.
- `Company: Acme`, `Assistant: Robin` – how it introduces itself.
- `Opening: …` – its first words, when nothing was said before. Else it makes them from the company's name.
- `Closing: …` – what it says once the form is complete, before it asks whether there is anything else.

Answers are plain sentences for a voice: no markup, one question at a time, digits spaced ("4 1 7 2") where they are
to be read one by one. "slower" makes the model end each clause with a full stop and space digits by commas.
"""
