from typing import Any

from rest_framework import serializers

from benchmarks.plain.models import Media, ReasonCode


class ReasonCodeSerializer(serializers.ModelSerializer[ReasonCode]):
    class Meta:
        model = ReasonCode
        fields = ("id", "category", "code", "label")


class MediaSerializer(serializers.ModelSerializer[Media]):
    reason_code = ReasonCodeSerializer()

    class Meta:
        model = Media
        fields = ("id", "mrd_id", "state", "state_change_time", "reason_code")


class ChangeSerializer(serializers.Serializer[Any]):
    state = serializers.ChoiceField(choices=["READY", "NOT_READY"])
    reasonCodeId = serializers.PrimaryKeyRelatedField(  # noqa: N815 (an element's name)
        queryset=ReasonCode.objects.filter(category="NOT_READY"), required=False
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if (attrs["state"] == "NOT_READY") != ("reasonCodeId" in attrs):
            raise serializers.ValidationError("NOT_READY needs a reason code, READY has none")
        return attrs
