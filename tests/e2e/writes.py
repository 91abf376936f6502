"""Writes of every kind: what may be wrong with their lines, their bodies, and who writes where."""

import gzip
import time
from collections.abc import Callable, Container
from dataclasses import dataclass
from typing import Final

from custom_components.ha_ingestor.clients.influx.dialect import Dialect
from scripts.rig.servers import DATABASE

# A database that keeps a week.
WEEK: Final = "week"
WEEK_SECONDS: Final = 7 * 24 * 3600
NOW: Final = int(time.time()) - 60
TIMES: Final = {
    "{s}": str(NOW),
    "{t}": f"{NOW}123456789",
    "{old}": f"{NOW - WEEK_SECONDS - 3600}000000000",
}

V1: Final = (Dialect.V1,)
V2: Final = (Dialect.V2,)
INFLUX: Final = (Dialect.V1, Dialect.V2)

GOOD: Final = "{m},t=good v=1 {t}"
TEXT: Final = '{m},t=text v="x" {t}'
OLD: Final = "{m},t=old v=1 {old}"
BAD: Final = "broken"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A write; its points are found by the measurement, `{m}` in the lines."""

    name: str
    lines: str = GOOD
    before: str = ""
    pack: Callable[[bytes], bytes] | None = None
    precision: str = "ns"
    who: str = "owner"
    database: str = DATABASE
    org: str = "home"
    policy: str = ""
    dialects: Container[Dialect] = tuple(Dialect)

    @property
    def measurement(self) -> str:
        # To VictoriaMetrics `field_twice` would be the field `twice` of the case `field`.
        return self.name.replace("_", "-")

    def body(self, lines: str) -> bytes:
        for placeholder, text in ({"{m}": self.measurement} | TIMES).items():
            lines = lines.replace(placeholder, text)
        raw = lines.encode("utf-8", "surrogateescape")
        return self.pack(raw) if self.pack else raw

    @property
    def is_about_access(self) -> bool:
        return (self.who, self.database, self.org, self.policy) != ("owner", DATABASE, "home", "")


def lines_of(**lines: str) -> tuple[Case, ...]:
    return tuple(Case(name=name, lines=text) for name, text in lines.items())


CASES: Final = (
    *lines_of(
        good=GOOD,
        kinds='{m} f=1.5,b=true,i=3i,s="x y",e=-1e-7 {t}',
        bad_first=f"{BAD}\n{GOOD}",
        bad_between=f"{GOOD}\n{BAD}\n{GOOD}",
        bad_several=f'{BAD}\n{GOOD}\nm v="x\\"y \n{{m}} v= {{t}}',
        bad_only=BAD,
        bad_only_several=f"{BAD}\nworse x",
        conflict_inside=f"{GOOD}\n{TEXT}",
        empty="",
        blank="\n\n",
        comment="# nothing\n",
        line_break='{m},t=break s="a\nb" {t}',
        line_break_and_good=f'{{m}},t=break s="a\nb" {{t}}\n{GOOD}',
        empty_tag=f"{{m}},t= v=1 {{t}}\n{GOOD}",
        tag_without_value=f"{{m}},t v=1 {{t}}\n{GOOD}",
        tag_twice="{m},t=a,t=b v=1 {t}",
        tag_named_time=f"{{m}},time=a v=1 {{t}}\n{GOOD}",
        tag_reserved="{m},_field=a,_x=b v=1 {t}",
        tag_backslashes="{m},t=a\\b,u=c\\\\d v=1 {t}",
        tag_escapes="{m},t\\=u=a\\ b\\,c\\=d v=1 {t}",
        tag_tab="{m},t=a\tb v=1 {t}",
        tag_characters="{m},t=é😀\x7f v=1 {t}",
        field_named_time=f"{{m}} time=1,v=1 {{t}}\n{GOOD}",
        field_named_time_alone=f"{{m}} time=1 {{t}}\n{GOOD}",
        field_missing="{m},t=a {t}",
        field_quotes='{m} a"b"c=1,w=2 {t}',
        comma_too_many="{m} v=1, {t}",
        number_nan=f"{{m}} v=NaN {{t}}\n{GOOD}",
        number_unsigned="{m} v=1u {t}",
        number_too_large=f"{{m}} v=9223372036854775808i {{t}}\n{GOOD}",
        number_with_plus="{m} v=+1 {t}",
        text_unquoted="{m} v=yes {t}",
        text_unfinished='{m} v="abc {t}',
        time_fraction="{m} v=1 1.5",
        name_of_comment=f"#{{m}} v=1 {{t}}\n{GOOD}",
        carriage_return="{m} v=1 {t}\r\n{m},t=a v=2 {t}\r\n",
        too_large="\n".join([GOOD, *["#" * 99_999] * 260]),
    ),
    # VictoriaMetrics keeps both values.
    Case(name="field_twice", lines="{m} v=1,v=2 {t}", dialects=INFLUX),
    # And infinity and broken characters, which it then shows in JSON that cannot be read.
    Case(name="number_infinite", lines="{m} v=1e400 {t}", dialects=INFLUX),
    Case(name="half_a_character", lines='{m},t=a\udcff s="b\udcff" {t}', dialects=INFLUX),
    Case(name="key_too_long", lines="{m},t=" + "x" * 66_000 + " v=1 {t}", dialects=INFLUX),
    Case(name="text_too_long", lines=f'{{m}} s="{"x" * 1_100_000}" {{t}}', dialects=INFLUX),
    Case(name="time_too_late", lines="{m} v=1 9223372036854775807", dialects=INFLUX),
    Case(name="tag_and_field", lines="{m},x=a x=1,v=2 {t}", dialects=INFLUX),
    Case(name="tag_and_then_field", before=GOOD, lines="{m} t=1 {t}", dialects=INFLUX),
    Case(name="conflict", before=GOOD, lines=TEXT),
    Case(name="conflict_and_good", before=GOOD, lines=f"{TEXT}\n{GOOD}"),
    Case(name="conflict_and_bad", before=GOOD, lines=f"{TEXT}\n{BAD}\n{{m}},t=more v=3 {{t}}"),
    Case(name="stale", lines=OLD, database=WEEK),
    Case(name="stale_and_good", lines=f"{OLD}\n{GOOD}", database=WEEK),
    Case(name="stale_and_bad", lines=f"{OLD}\n{BAD}\n{GOOD}", database=WEEK),
    Case(name="stale_and_conflict", before=GOOD, lines=f"{OLD}\n{TEXT}", database=WEEK),
    Case(name="gzip", pack=gzip.compress),
    Case(name="gzip_of_nothing", lines="", pack=gzip.compress),
    Case(name="gzip_of_bad", lines=f"{BAD}\n{GOOD}", pack=gzip.compress),
    Case(name="gzip_cut", pack=lambda raw: gzip.compress(raw)[:-6]),
    Case(name="gzip_damaged", pack=lambda raw: gzip.compress(raw)[:20] + bytes(9)),
    Case(name="gzip_checksum", pack=lambda raw: gzip.compress(raw)[:-8] + bytes(8)),
    Case(name="gzip_not_at_all", pack=lambda raw: raw),
    Case(name="precision_s", lines="{m} v=1 {s}", precision="s"),
    Case(name="precision_ms", lines="{m} v=1 {s}123", precision="ms"),
    Case(name="precision_us", lines="{m} v=1 {s}123456", precision="us"),
    Case(name="precision_u", lines="{m} v=1 {s}123456", precision="u"),
    Case(name="precision_n", lines="{m} v=1 {t}", precision="n"),
    Case(name="precision_unknown", lines="{m} v=1 {t}", precision="fortnight"),
    Case(name="database_missing", database="missing"),
    Case(name="database_missing_bad", database="missing", lines=BAD),
    Case(name="database_missing_empty", database="missing", lines=""),
    Case(name="database_quoted", database='a "b" ü'),
    Case(name="database_unnamed", database="", dialects=INFLUX),
    Case(name="org_missing", org="missing", dialects=V2),
    Case(name="org_missing_empty", org="missing", lines="", dialects=V2),
    Case(name="org_unnamed", org="", dialects=V2),
    Case(name="policy_missing", policy="missing", dialects=V1),
    Case(name="policy_missing_empty", policy="missing", lines="", dialects=V1),
    Case(name="secret_wrong", who="wrong"),
    Case(name="secret_wrong_empty", who="wrong", lines=""),
    Case(name="secret_wrong_database_missing", who="wrong", database="missing"),
    Case(name="user_wrong", who="nobody"),
    Case(name="nobody", who="none"),
    Case(name="reader", who="reader"),
    Case(name="reader_empty", who="reader", lines=""),
    Case(name="reader_database_missing", who="reader", database="missing"),
    Case(name="writer", who="writer"),
)
