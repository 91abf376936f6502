# Home Assistant puts probatio in the place of voluptuous when it starts, and its signatures name
# probatio. These are the names that we use; a name that voluptuous has can be added.
from probatio import All as All
from probatio import Coerce as Coerce
from probatio import Exclusive as Exclusive
from probatio import Invalid as Invalid
from probatio import Length as Length
from probatio import Marker as Marker
from probatio import Optional as Optional
from probatio import Range as Range
from probatio import Required as Required
from probatio import Schema as Schema
