"""The documents of reason codes, for the description only [ReasonCode API Parameters]."""

from typing import Any

from django.utils.functional import SimpleLazyObject
from rest_framework import serializers

from finesse.api.description import AlphabeticalSerializer, RequestSerializer, XMLSerializer
from finesse.api.fields import (
    LARGEST_64,
    AttributeField,
    BooleanField,
    IdField,
    NamedChoiceField,
    NamedField,
    UriField,
)
from finesse.db.names import visible_pattern
from reasoncodes.models import Category, ReasonCode

_CATEGORY = "The state that it explains; fixed after creation"
_CODE = "The number that reports show, 1 to 65535; unique in its category"
_LABEL = "The text that people read, up to 40 characters; unique in its category"
_FOR_ALL = "true: for every team. false: for the teams that it is assigned to"
_SYSTEM_CODE = "true: the system's own; nobody can choose or change it"
_URI = "Its path; the last segment is the id that reasonCodeId takes"
_ID = "Its database id, the one that reasonCodeId takes"


class CategoryField(NamedChoiceField):
    """The state that a reason code explains [ReasonCode API Parameters]."""

    values = Category.values


class CodeField(NamedField, serializers.IntegerField):
    """The number that reports show, in plain decimals [ReasonCode API Parameters]."""

    def __init__(self, **options: Any) -> None:
        super().__init__(min_value=1, max_value=65535, help_text=_CODE, **options)


class LabelField(NamedField, serializers.RegexField):
    """A text of visible characters, and without blanks around it
    [ReasonCode API Parameters], [Manage Reason Codes (administration guide)]."""

    def __init__(self, **options: Any) -> None:
        # Only descriptions need it, and it takes a part of a second to make.
        printable: Any = SimpleLazyObject(visible_pattern)
        longest = ReasonCode._meta.get_field("label").max_length
        super().__init__(printable, max_length=longest, help_text=_LABEL, **options)


class ReasonCodeUriField(UriField):
    """The path of a reason code; it ends in the database id [ReasonCode API Parameters]."""

    path = "/ReasonCode/{id}"


class ReasonCodeIdOrNoneField(NamedField, serializers.IntegerField):
    """The database id of a reason code, or -1 for none [Media API Parameters]."""

    pattern = "-1|[1-9][0-9]*"

    def __init__(self, **options: Any) -> None:
        super().__init__(min_value=-1, max_value=LARGEST_64, **options)


class ChosenReasonCodeIdField(NamedField, serializers.IntegerField):
    """The database id of a reason code; 0, -1 or nothing for none. Clients that always send the
    element send these: our choice [Media API Parameters]."""

    pattern = "-1|0|[1-9][0-9]*"

    def __init__(self, **options: Any) -> None:
        super().__init__(
            required=False, allow_null=True, min_value=-1, max_value=LARGEST_64, **options
        )


class ReasonCodeSerializer(XMLSerializer):
    """Why an agent is not ready or signed out [ReasonCode API Parameters]. The documented object
    has no id; real answers have it."""

    element = "ReasonCode"
    example = """<ReasonCode>
  <uri>/finesse/api/ReasonCode/1002</uri>
  <id>1002</id>
  <category>NOT_READY</category>
  <code>2</code>
  <label>Team meeting</label>
  <forAll>true</forAll>
  <systemCode>false</systemCode>
</ReasonCode>"""

    uri = ReasonCodeUriField(help_text=_URI)
    id = IdField(help_text=_ID)
    category = CategoryField(help_text=_CATEGORY)
    code = CodeField()
    label = LabelField()  # type: ignore[assignment]
    forAll = BooleanField(help_text=_FOR_ALL)
    systemCode = BooleanField(help_text=_SYSTEM_CODE)


class MediaReasonCodeSerializer(AlphabeticalSerializer):
    """The reason of a Media that is NOT_READY [Media API Parameters]."""

    element = "ReasonCode"

    category = CategoryField(choices=[Category.NOT_READY.value], help_text=_CATEGORY)
    code = CodeField()
    forAll = BooleanField(help_text=_FOR_ALL)
    id = IdField(help_text=_ID)
    label = LabelField()  # type: ignore[assignment]
    uri = ReasonCodeUriField(help_text=_URI)


class UserReasonCodeSerializer(AlphabeticalSerializer, ReasonCodeSerializer):
    """The reason of a user's state [User]."""

    element = "reasonCode"
    example = ""


class ReasonCodesSerializer(XMLSerializer):
    """A list of reason codes; the attribute repeats the category of the query
    [ReasonCode API Parameters]."""

    element = "ReasonCodes"
    example = """<ReasonCodes category="NOT_READY">
  <ReasonCode>
    <uri>/finesse/api/ReasonCode/1001</uri>
    <id>1001</id>
    <category>NOT_READY</category>
    <code>1</code>
    <label>Lunch</label>
    <forAll>true</forAll>
    <systemCode>false</systemCode>
  </ReasonCode>
</ReasonCodes>"""

    category = AttributeField(
        choices=[*Category.values, "ALL"], help_text="The category of the query"
    )
    ReasonCode = ReasonCodeSerializer(many=True, required=False)


class ReasonCodeAddSerializer(RequestSerializer):
    """Add a reason code; all four elements are required [ReasonCode API Parameters]."""

    element = "ReasonCode"
    example = (
        "<ReasonCode><category>NOT_READY</category><code>12</code><label>Training</label>"
        "<forAll>true</forAll></ReasonCode>"
    )

    category = CategoryField(help_text=_CATEGORY)
    code = CodeField()
    label = LabelField()  # type: ignore[assignment]
    forAll = BooleanField(help_text=_FOR_ALL)


class ReasonCodeChangeSerializer(RequestSerializer):
    """Change code, label or forAll, at least one of them [ReasonCode API Parameters]. Clients may
    send the whole object back."""

    element = "ReasonCode"
    example = "<ReasonCode><label>Weekly meeting</label></ReasonCode>"
    least = 1

    uri = ReasonCodeUriField(required=False, help_text="Ignored")
    id = IdField(required=False, help_text="Ignored")
    category = CategoryField(required=False, help_text="The present one")
    code = CodeField(required=False)
    label = LabelField(required=False)  # type: ignore[assignment]
    forAll = BooleanField(required=False, help_text=_FOR_ALL)
    systemCode = BooleanField(required=False, help_text="The present value")


class ReasonCodeReferenceSerializer(RequestSerializer):
    """A reason code, by its uri or by its id [ReasonCode API Errors]."""

    element = "ReasonCode"
    forms = (("uri",), ("id",))
    least = 1

    uri = ReasonCodeUriField(help_text=_URI)
    id = IdField(help_text=_ID)


class TeamReasonCodesSerializer(RequestSerializer):
    """All reason codes of the category that the team is to have; an empty list takes all of them
    away. No page prints the body: our reading [ReasonCode API Errors]."""

    element = "ReasonCodes"
    example = (
        "<ReasonCodes><ReasonCode><uri>/finesse/api/ReasonCode/1003</uri></ReasonCode>"
        "</ReasonCodes>"
    )

    ReasonCode = ReasonCodeReferenceSerializer(many=True, required=False)


class CategoryQuerySerializer(XMLSerializer):
    """The category of a query."""

    category = CategoryField(help_text="The category")


class AnyCategoryQuerySerializer(XMLSerializer):
    """The category of a query, or both."""

    category = serializers.ChoiceField(
        choices=[*Category.values, "ALL"], help_text="The category; ALL for both"
    )


class LookupQuerySerializer(XMLSerializer):
    """A category and the code that reports show."""

    category = CategoryField(help_text="The category")
    code = serializers.IntegerField(min_value=0, max_value=65535, help_text="The code")
