"""The documents of reason codes, for the description only [ReasonCode API Parameters]."""

from typing import Any

from rest_framework import serializers

from finesse.api.description import Attribute, XMLSerializer
from reasoncodes.models import Category, ReasonCode

_CATEGORY = "What it explains; fixed after creation"
_CODE = "What reports show, 1 to 65535; unique in its category"
_LABEL = "What people read, up to 40 characters; unique in its category"
_FOR_ALL = "true: for every team. false: for those that it is assigned to"
_SYSTEM_CODE = "true: the system's own, which nobody can choose or change"
_URI = "Its path; the last segment is the id that reasonCodeId takes"
_ID = "The database id, the one that reasonCodeId takes"
_PRINTABLE = r"^[^\x00-\x20\x7f]([^\x00-\x1f\x7f]*[^\x00-\x20\x7f])?$"
"""Without control characters, without blanks around it."""
_MOST = {"code": 65535, "label": ReasonCode._meta.get_field("label").max_length}


def _code(**options: Any) -> Any:
    return serializers.IntegerField(
        min_value=1, max_value=_MOST["code"], help_text=_CODE, **options
    )


def _label(**options: Any) -> Any:
    return serializers.RegexField(
        _PRINTABLE, max_length=_MOST["label"], help_text=_LABEL, **options
    )


class ReasonCodeSerializer(XMLSerializer):
    """Why an agent is not ready or signed out."""

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

    uri = serializers.CharField(help_text=_URI)
    id = serializers.IntegerField(help_text=_ID)
    category = serializers.ChoiceField(choices=Category.values, help_text=_CATEGORY)
    code = _code()
    label = _label()
    forAll = serializers.BooleanField(help_text=_FOR_ALL)
    systemCode = serializers.BooleanField(help_text=_SYSTEM_CODE)


class EmbeddedReasonCodeSerializer(XMLSerializer):
    """The reason inside a Media."""

    element = "ReasonCode"

    category = serializers.ChoiceField(choices=Category.values, help_text=_CATEGORY)
    code = _code()
    forAll = serializers.BooleanField(help_text=_FOR_ALL)
    id = serializers.IntegerField(help_text=_ID)
    label = _label()
    uri = serializers.CharField(help_text=_URI)


class ReasonCodesSerializer(XMLSerializer):
    """A list; the attribute repeats the category that was asked for."""

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

    category = Attribute(choices=[*Category.values, "ALL"], help_text="What was asked for")
    ReasonCode = ReasonCodeSerializer(many=True, required=False)


class ReasonCodeAddSerializer(XMLSerializer):
    """Everything that a new reason code has."""

    element = "ReasonCode"
    example = (
        "<ReasonCode><category>NOT_READY</category><code>12</code><label>Training</label>"
        "<forAll>true</forAll></ReasonCode>"
    )

    category = serializers.ChoiceField(choices=Category.values, help_text=_CATEGORY)
    code = _code()
    label = _label()
    forAll = serializers.BooleanField(help_text=_FOR_ALL)


class ReasonCodeChangeSerializer(XMLSerializer):
    """One of them at least; the rest stays. The whole object may be sent back."""

    element = "ReasonCode"
    example = "<ReasonCode><label>Weekly meeting</label></ReasonCode>"
    least = 1

    code = _code(required=False)
    label = _label(required=False)
    forAll = serializers.BooleanField(required=False, help_text=_FOR_ALL)


class ReasonCodeReferenceSerializer(XMLSerializer):
    """A reason code, named by its uri or by its id."""

    element = "ReasonCode"
    least = 1

    uri = serializers.CharField(required=False, help_text=_URI)
    id = serializers.IntegerField(required=False, help_text=_ID)


class TeamReasonCodesSerializer(XMLSerializer):
    """All that the team is to have of the category; an empty list leaves it none."""

    element = "ReasonCodes"
    example = (
        "<ReasonCodes><ReasonCode><uri>/finesse/api/ReasonCode/1003</uri></ReasonCode>"
        "</ReasonCodes>"
    )

    ReasonCode = ReasonCodeReferenceSerializer(many=True, required=False)


class CategoryQuerySerializer(XMLSerializer):
    """Of which category."""

    category = serializers.ChoiceField(choices=Category.values, help_text="Of which category")


class AnyCategoryQuerySerializer(XMLSerializer):
    """Of which category, or of both."""

    category = serializers.ChoiceField(
        choices=[*Category.values, "ALL"], help_text="Of which category; ALL is both"
    )


class LookupQuerySerializer(XMLSerializer):
    """What reports show."""

    category = serializers.ChoiceField(choices=Category.values, help_text="Of which category")
    code = serializers.IntegerField(min_value=0, max_value=65535, help_text="The code")
