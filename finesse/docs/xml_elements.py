"""The elements and complex types of the XML Schema, by their serializers."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain, product
from typing import Any
from xml.etree.ElementTree import Element

from rest_framework import serializers

from finesse.api.description import XMLSerializer
from finesse.api.fields import AttributeField, WrappedListField
from finesse.docs.xml_nodes import Form, documented, model_of, xs
from finesse.docs.xml_values import NOTHING, SimpleTypes

Alternatives = Sequence[type[XMLSerializer]]
"""The documents that an element of one name may be: each is one of them."""
Fields = Mapping[str, list[Any]]
"""The fields of alternatives by name: one for each alternative that has it."""


class ComplexTypes:
    """The complex types of one schema, each declared when the first element needs it."""

    def __init__(self, simple: SimpleTypes) -> None:
        self.declared: dict[str, Element] = {}
        self._simple = simple

    def declare(self, alternatives: Alternatives, name: str = "", *, empty: bool = False) -> str:
        """The name of the type; `empty` if the element may also be empty."""
        name = name or name_of(alternatives[0])
        if empty:
            name += f"Or{NOTHING}"
        if name not in self.declared:
            self.declared[name] = declared = xs("complexType", {"name": name})
            texts = dict.fromkeys(one.__doc__ or "" for one in alternatives)
            children, *attributes = self._content(alternatives, name)
            if empty:
                children.set("minOccurs", "0")
            documented(declared, " Or: ".join(texts), children, *attributes)
        return name

    def _content(self, alternatives: Alternatives, name: str) -> list[Element]:
        """The children, then the attributes."""
        fields = _fields_of(alternatives)

        def child(child_name: str) -> Element:
            return self._child(child_name, fields[child_name], parent=name)

        attributes = [one for (one, *_) in fields.values() if _is_attribute(one)]
        return [_children(alternatives, fields, child), *map(self._attribute, attributes)]

    def _child(self, name: str, fields: list[Any], *, parent: str) -> Element:
        field = fields[0]
        node = documented(xs("element", {"name": name}), str(field.help_text or ""))
        match field:
            case XMLSerializer():
                kinds = list(dict.fromkeys(type(one) for one in fields))
                type_name = parent + name[0].upper() + name[1:] if len(kinds) > 1 else ""
                node.set("type", self.declare(kinds, type_name, empty=field.allow_null))
            case serializers.ListSerializer(child=XMLSerializer() as child):
                node.set("type", self.declare([type(child)]))
                node.set("maxOccurs", "unbounded")
            case WrappedListField():
                inside = xs("sequence", {}, self._item(field))
                node.append(xs("complexType", {}, inside))
            case _:
                self._simple.put_type(node, field)
        return node

    def _item(self, field: WrappedListField) -> Element:
        child: Any = field.child
        item = self._child(field.element or child.element, [child], parent="")
        item.set("minOccurs", str(field.min_length or 0))
        item.set("maxOccurs", str(field.max_length or "unbounded"))
        return item

    def _attribute(self, field: AttributeField) -> Element:
        attributes = {"name": str(field.field_name), "use": "required"}
        node = documented(xs("attribute", attributes), str(field.help_text))
        self._simple.put_type(node, field)
        return node


def name_of(serializer: type[serializers.Serializer[Any]]) -> str:
    return serializer.__name__.removesuffix("Serializer")


def _fields_of(alternatives: Alternatives) -> Fields:
    found: dict[str, list[Any]] = {}
    for serializer in alternatives:
        for name, field in serializer().fields.items():
            found.setdefault(name, []).append(field)
    return found


def _children(
    alternatives: Alternatives, fields: Fields, child: Callable[[str], Element]
) -> Element:
    if len(alternatives) > 1 or alternatives[0].forms:
        forms = chain.from_iterable(map(_forms_of, alternatives))
        return xs("sequence", {}, *model_of(forms, child))
    found = {name: field for name, (field,) in fields.items() if not _is_attribute(field)}
    has_lists = any(isinstance(field, serializers.ListSerializer) for field in found.values())
    # In XML Schema 1.0 children in any order cannot be repeated.
    order = "all" if alternatives[0].any_order and not has_lists else "sequence"
    return xs(order, {}, *(_as_needed(child(name), field) for name, field in found.items()))


def _as_needed(node: Element, field: Any) -> Element:
    if not field.required:
        node.set("minOccurs", "0")
    return node


def _forms_of(serializer: type[XMLSerializer]) -> Iterable[Form]:
    """Every form of the element, with and without each optional child."""
    fields = serializer().fields
    for form in serializer.forms or [tuple(fields)]:
        choices = [[(name,)] if fields[name].required else [(name,), ()] for name in form]
        for chosen in product(*choices):
            yield tuple(chain(*chosen))


def _is_attribute(field: Any) -> bool:
    return isinstance(field, AttributeField)
