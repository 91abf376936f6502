"""What is left out of attributes and events: secrets always, the rest where the user wants it.

Names are compared by their words, so `accessToken`, `Access Token` and `ACCESS_TOKEN` are one name,
and at any depth. Texts are looked into where they are JSON or addresses.

- `words`: a name as its words
- `secrets`, `location`, `media`: which names tell a secret, where somebody is, what somebody plays
- `unwanted`: which of them a user does not want
- `redaction`, `named`: hide in a text what is known by its form, and what stands behind a name
- `texts`, `nested`: copies of a text, and of nested data, without what is unwanted
"""
