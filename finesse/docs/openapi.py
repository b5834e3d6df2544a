"""OpenAPI from the declarations of `finesse.api.description`, by drf-spectacular."""

from collections import defaultdict
from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    OpenApiRequest,
    OpenApiResponse,
    PolymorphicProxySerializer,
)
from rest_framework import serializers
from uritemplate import variables

from finesse.api.description import Operation, XMLSerializer, operation_of
from finesse.api.errors import (
    AUTHENTICATION_FAILURE,
    BAD_REQUEST,
    INTERNAL_ERROR,
    NAMES,
    OUT_OF_SERVICE,
    TABLE,
    ErrorRow,
)
from finesse.api.fields import AttributeField, WrappedListField
from finesse.api.serializers import ApiErrorsSerializer
from finesse.docs.error_examples import error_document
from finesse.docs.explanations import EXPLANATIONS
from finesse.docs.general_texts import PARAMETERS, REQUEST_ID, REQUEST_ID_BACK, STATUSES
from finesse.docs.paths import camel_case, parts_of, resource_of

XML = "application/xml"
SECURITY = "basic"


def example_name(row: ErrorRow, *, with_media: bool) -> str:
    return NAMES[row] + ("-with-media" if with_media else "")


def error_examples() -> dict[str, Any]:
    """Two examples of each error, without and with the MRD of a path; operations refer to them."""
    return {
        example_name(row, with_media=with_media): {
            "summary": row.type,
            "description": EXPLANATIONS[name].happened,
            "value": error_document(row, with_media=with_media),
        }
        for name, row in TABLE.items()
        for with_media in (False, True)
    }


class FinesseSchema(AutoSchema):  # type: ignore[misc]
    """Describes a handler by its `Operation`."""

    @property
    def declared(self) -> Operation:
        operation = operation_of(getattr(self.view, self.method.lower()))
        assert operation, f"{self.view.__class__.__name__}.{self.method.lower()} is not declared"
        return operation

    @property
    def errors(self) -> list[ErrorRow]:
        """All errors of the answer, in the order of the checks."""
        rows = [OUT_OF_SERVICE]
        if self.view.authentication_classes:
            rows.append(AUTHENTICATION_FAILURE)
        rows += self.declared.errors
        if self.declared.body:
            rows.append(BAD_REQUEST)
        rows.append(INTERNAL_ERROR)
        return rows

    def get_operation_id(self) -> str:
        parts = parts_of(self.path)
        literals = "".join(part for part in parts if not part.startswith("{"))
        last = parts[-1].strip("{}")
        by = f"By{last[0].upper()}{last[1:]}" if self.path.endswith("}") else ""
        return f"{self.method.lower()}{literals}{by}"

    def get_tags(self) -> list[str]:
        return [resource_of(self.path)]

    def get_summary(self) -> str:
        return self.declared.summary

    def get_description(self) -> str:
        return self.declared.text

    def get_auth(self) -> list[dict[str, list[str]]]:
        return [{SECURITY: []}] if self.view.authentication_classes else []

    def get_override_parameters(self) -> list[Any]:
        parameters: list[Any] = [
            OpenApiParameter(
                name,
                location=OpenApiParameter.PATH,
                required=True,
                description=PARAMETERS[name].text,
                type={"type": "string", "minLength": 1, "examples": [PARAMETERS[name].example]},
            )
            for name in variables(self.path)
        ]
        if self.declared.query:
            parameters.append(self.declared.query)
        if self.method != "GET":
            schema = {
                "type": "string",
                "maxLength": 255,
                "pattern": "^[!-~]([ -~]*[!-~])?$",
            }
            header = {"name": "requestId", "type": schema, "location": OpenApiParameter.HEADER}
            parameters.append(OpenApiParameter(**header, description=REQUEST_ID))
            parameters.append(
                OpenApiParameter(**header, description=REQUEST_ID_BACK, response=True)
            )
        for name, text in self.declared.headers.items():
            parameters.append(_response_header(name, text, self.declared.status))
        if self.view.authentication_classes:
            parameters.append(
                _response_header("WWW-Authenticate", "The challenge of HTTP Basic", 401)
            )
        return parameters

    def get_request_serializer(self) -> Any:
        bodies = self.declared.body
        if not bodies:
            return {}
        examples = [
            OpenApiExample(_name(body), summary=_first_sentence(body), value=body.example)
            for body in bodies
        ]
        return {XML: OpenApiRequest(self._one_of(bodies), examples=examples)}

    def _get_request_body(self, *args: Any, **kwargs: Any) -> dict[str, Any] | None:
        body: dict[str, Any] | None = super()._get_request_body(*args, **kwargs)
        # Each handler that reads a body needs one; drf-spectacular looks at required fields.
        return {**body, "required": True} if body else None

    def _one_of(self, bodies: tuple[type[XMLSerializer], ...]) -> Any:
        if len(bodies) == 1:
            return bodies[0]
        return PolymorphicProxySerializer(
            component_name=f"{bodies[0].element}Request",
            serializers=list(bodies),
            resource_type_field_name=None,
        )

    def get_response_serializers(self) -> dict[int, OpenApiResponse]:
        answer = self.declared.answer
        responses = {
            self.declared.status: OpenApiResponse(
                answer,
                description=STATUSES[self.declared.status, answer is not None],
                examples=[OpenApiExample(_name(answer), value=answer.example)] if answer else [],
            )
        }
        by_status: dict[int, list[ErrorRow]] = defaultdict(list)
        for row in dict.fromkeys(self.errors):
            by_status[row.status].append(row)
        for status, rows in sorted(by_status.items()):
            responses[status] = OpenApiResponse(
                ApiErrorsSerializer,
                description=", ".join(dict.fromkeys(row.type for row in rows)),
            )
        return responses

    def _get_response_bodies(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        responses: dict[str, Any] = super()._get_response_bodies(*args, **kwargs)
        with_media = "{mrdId}" in self.path
        for row in self.errors:
            examples = responses[str(row.status)]["content"][XML].setdefault("examples", {})
            reference = f"#/components/examples/{example_name(row, with_media=with_media)}"
            examples[NAMES[row]] = {"$ref": reference}
        return responses

    def get_extensions(self) -> dict[str, Any]:
        declared, notification = self.declared, self.declared.notification
        extensions: dict[str, Any] = {
            "x-callers": declared.callers.text,
            "x-page": declared.page,
            "x-errors": [NAMES[row] for row in dict.fromkeys(self.errors)],
        }
        if declared.callers.example:
            extensions["x-example-login"] = declared.callers.example
        if notification:
            extensions["x-notification"] = {
                "name": notification.name,
                "node": camel_case(notification.node),
                "source": notification.source,
                "page": notification.page,
                "events": dict(notification.events),
                "update": self.resolve_serializer(notification.update, "response").ref,
                "example": notification.update.example,
                "errors": [NAMES[row] for row in declared.later],
            }
        return extensions

    def get_serializer_name(self, serializer: Any, direction: str) -> str:
        return _name(type(serializer))

    def _map_serializer(self, serializer: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        schema: dict[str, Any] = super()._map_serializer(serializer, *args, **kwargs)
        element = getattr(serializer, "element", "")
        if isinstance(serializer, PolymorphicProxySerializer):
            element = serializer.serializers[0].element
        if least := getattr(serializer, "least", 0):
            schema = {**schema, "minProperties": least}
        if forms := getattr(serializer, "forms", ()):
            always = [name for name in schema["required"] if all(name in form for form in forms)]
            schema["required"] = always
            if not always:
                del schema["required"]
        return {**schema, "xml": {"name": element}} if element else schema

    def _map_serializer_field(self, field: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        schema: dict[str, Any] = super()._map_serializer_field(field, *args, **kwargs)
        if isinstance(field, serializers.ListSerializer):
            schema = schema | _bounds(field)
        if isinstance(field, AttributeField):
            return {**schema, "xml": {"attribute": True}}
        if isinstance(field, WrappedListField):
            schema = {**schema, "xml": {"wrapped": True}}
            if field.element:
                schema["items"] = {**schema["items"], "xml": {"name": field.element}}
        elif isinstance(field, XMLSerializer) and field.element not in {"", field.field_name}:
            # The property is named otherwise than its serializer.
            schema = {**schema, "xml": {"name": field.field_name}}
        return schema


def _bounds(field: Any) -> dict[str, int]:
    bounds = {"minItems": field.min_length, "maxItems": field.max_length}
    return {name: bound for name, bound in bounds.items() if bound is not None}


def _response_header(name: str, text: str, status: int) -> OpenApiParameter:
    return OpenApiParameter(
        name, location=OpenApiParameter.HEADER, description=text, response=[status], required=True
    )


def _name(serializer: type[serializers.Serializer[Any]] | None) -> str:
    return serializer.__name__.removesuffix("Serializer") if serializer else ""


def _first_sentence(serializer: type[XMLSerializer]) -> str:
    sentence, _, _ = " ".join((serializer.__doc__ or "").split()).partition(" [")
    return sentence.partition(".")[0]
