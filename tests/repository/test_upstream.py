"""What this service uses of libraries that they do not document, one assertion each.

A failure names the decision to look at; docs/decisions/libraries.md has the table. It holds on any
set-up: no service is needed.
"""

import asyncio.sslproto
import inspect
import re
from pathlib import Path
from typing import Any

import amqp
import django
import psycopg
import psycopg.adapt
import psycopg.pq
import pytest
from celery import Celery
from celery.app.amqp import AMQP
from celery.beat import EmbeddedService, Scheduler
from celery.worker import WorkController, consumer, loops
from celery.worker.consumer.events import Events
from celery.worker.consumer.gossip import Gossip
from celery.worker.consumer.mingle import Mingle
from defusedxml.ElementTree import DefusedXMLParser
from django.contrib.admin import ModelAdmin
from django.contrib.auth import middleware as auth_middleware
from django.contrib.auth.base_user import BaseUserManager
from django.contrib.auth.forms import AdminPasswordChangeForm, UserCreationForm
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.contrib.sessions.backends.base import SessionBase
from django.core.cache.backends.redis import RedisCacheClient
from django.core.handlers import exception
from django.core.handlers.base import BaseHandler
from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.postgresql.base import DatabaseWrapper as PostgreSQLWrapper
from django.db.models import QuerySet
from django.db.models import query as django_query
from django.db.models.sql.compiler import SQLCompiler
from drf_spectacular.openapi import AutoSchema
from prometheus_client import Histogram, values
from prometheus_client.mmap_dict import MmapedDict
from prometheus_client.multiprocess import MultiProcessCollector
from redis.connection import Connection as RedisConnection
from redis.connection import ConnectionPool
from slixmpp.xmlstream.tostring import tostring
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.protocol import Protocol

from finesse.metrics import process_files
from finesse.users.models import User


def has(owner: object, names: str, decision: str) -> None:
    """The names are there; else the decision says what they are for and what to do without."""
    missing = [name for name in names.split() if not hasattr(owner, name)]
    assert not missing, f"{owner!r} has no {missing} any more: look at decision {decision}"


def takes(function: Any, names: str, decision: str) -> None:
    parameters = [*inspect.signature(function).parameters]
    assert parameters[: len(names.split())] == names.split(), f"look at decision {decision}"


def test_the_handler_keeps_its_chain_of_middlewares_in_an_attribute() -> None:
    handler = BaseHandler()
    handler.load_middleware()
    has(handler, "_middleware_chain _get_response resolve_request get_response", "83")
    has(exception, "convert_exception_to_response", "83")


def test_a_manager_knows_its_database() -> None:
    has(BaseUserManager(), "_db", "libraries (users)")


def test_a_session_key_is_validated_by_a_method() -> None:
    takes(SessionBase._validate_session_key, "self key", "libraries (users)")  # type: ignore[attr-defined]


def test_forms_that_set_passwords_do_so_in_methods_and_tokens_have_a_salt() -> None:
    for form in (UserCreationForm, AdminPasswordChangeForm):
        has(form, "validate_passwords set_password_and_save", "140")
    has(PasswordResetTokenGenerator, "key_salt", "140")


def test_a_compiled_queryset_says_which_columns_are_of_which_model() -> None:
    compiler = User.objects.select_related("team").query.get_compiler(using="default")
    compiler.as_sql()
    info: Any = compiler.klass_info
    assert {"model", "select_fields", "related_klass_infos"} <= info.keys(), "look at decision 70"
    has(SQLCompiler, "get_converters apply_converters", "70")


def test_models_are_made_of_rows_by_related_populators() -> None:
    takes(django_query.get_related_populators, "klass_info select db", "80")
    if django.VERSION >= (6, 1):
        has(QuerySet(model=User), "_fetch_mode", "80")


def test_a_connection_is_checked_by_a_method_that_can_be_overridden() -> None:
    has(BaseDatabaseWrapper, "close_if_health_check_failed", "71")
    has(connection, "health_check_done wrap_database_errors run_on_commit", "71, 102")


def test_psycopg_prepares_and_executes_below_its_cursors() -> None:
    has(psycopg.pq.PGconn, "exec_prepared prepare transaction_status status", "87")
    has(psycopg.adapt.Transformer, "dump_sequence set_pgresult load_rows", "87")
    has(psycopg.errors, "error_from_result", "87")


def test_waits_for_postgresql_are_methods_that_can_be_overridden() -> None:
    sending = "send_query_prepared send_prepare flush is_busy consume_input get_result socket"
    has(psycopg.pq.PGconn, sending, "121")
    takes(psycopg.Connection.wait, "self gen interval timeout", "121")
    has(PostgreSQLWrapper, "Database is_usable", "121")


def test_waits_for_redis_are_methods_that_can_be_overridden() -> None:
    has(RedisConnection(), "connect send_packed_command socket_connect_timeout", "121")
    taken = inspect.signature(RedisConnection.read_response).parameters
    assert {"timeout", "disconnect_on_error"} <= {*taken}, "decisions 121 and 196"
    pool = ConnectionPool()
    has(pool, "make_connection connection_class connection_kwargs", "196")
    takes(pool.disconnect, "inuse_connections", "196")


def test_psycopg_has_a_loader_of_moments_in_c_where_it_can() -> None:
    oid = psycopg.adapters.types["timestamptz"].oid
    assert psycopg.adapters.get_loader(oid, psycopg.pq.Format.TEXT), "look at decision 71"


def test_the_cache_in_redis_takes_a_class_of_pools() -> None:
    takes(RedisCacheClient.__init__, "self servers serializer pool_class", "79")


def test_uvicorn_says_when_a_request_has_begun() -> None:
    names = "connection_made data_received connection_lost on_response_complete shutdown"
    has(H11Protocol, f"{names} pause_writing resume_writing", "65, 127")
    wanted = {"self.conn", "self.scope", "self.logger"}
    assert wanted <= _attributes(H11Protocol), "look at decisions 65 and 129"


def test_uvicorn_hands_every_frame_to_a_method() -> None:
    names = "handle_cont handle_ping handle_pong send_receive_event_to_app handle_parser_exception"
    has(WebSocketsSansIOProtocol, names, "65")
    wanted = {"self.conn", "self.close_sent", "self.handshake_initiated", "self.read_paused"}
    assert wanted <= _attributes(WebSocketsSansIOProtocol), "look at decision 65"
    wanted = {"self.logger", "self.handshake_complete", "self.frames", "self.curr_msg_data_type"}
    assert wanted <= _attributes(WebSocketsSansIOProtocol), "look at decision 129"
    assert issubclass(ClientDisconnected, OSError), "look at decision 129"
    assert "self.logger" in _attributes(Protocol), "look at decision 129"


def test_asyncio_says_when_a_handshake_is_complete() -> None:
    has(asyncio.sslproto.SSLProtocol, "_on_handshake_complete max_size", "65")
    wanted = {"self._server_side", "self._ssl_handshake_timeout"}
    assert wanted <= _attributes(asyncio.sslproto.SSLProtocol), "look at decision 65"


def test_celery_runs_worker_and_beat_in_threads() -> None:
    takes(EmbeddedService, "app max_interval", "1")
    has(WorkController, "start", "1")
    takes(Scheduler.apply_entry, "self entry producer", "129")
    takes(Scheduler.apply_async, "self entry producer advance", "129")


def test_celery_connects_by_classes_that_can_be_replaced() -> None:
    has(Celery(set_as_current=False), "amqp_cls", "123")
    has(AMQP, "Connection", "123")
    takes(Mingle.__init__, "self c without_mingle", "123")
    takes(Gossip.__init__, "self c without_gossip", "203")
    takes(Events.__init__, "self c task_events without_heartbeat without_gossip", "203")
    has(amqp.Connection(), "collect", "203")


def test_the_description_is_made_by_methods_that_can_be_overridden() -> None:
    names = "_get_request_body _get_response_bodies _map_serializer _map_serializer_field"
    has(AutoSchema, names, "45")


def test_a_parser_hands_namespaces_to_its_target() -> None:
    assert "start_ns" in inspect.getsource(DefusedXMLParser.__mro__[1].__init__), (
        "look at finesse/api/xml_bounds.py: namespaces are bounded there"
    )


def test_a_histogram_of_prometheus_client_has_a_sum_and_buckets_up_to_a_bound() -> None:
    histogram = Histogram("seconds", "Of this test.", buckets=[1, 2], registry=None)
    has(histogram, "_sum _buckets _upper_bounds", "213")
    assert histogram._upper_bounds == [1, 2, float("inf")]
    histogram.observe(2)
    assert [bucket.get() for bucket in histogram._buckets] == [0, 1, 0]
    assert histogram._sum.get() == 2


def test_prometheus_client_keeps_numbers_as_metrics_expects(tmp_path: Path) -> None:
    assert values.ValueClass is process_files.Value
    file = tmp_path / "counter_worker-1.db"
    kept = MmapedDict(str(file))
    key = '["a", "a_total", {}, "help"]'
    kept.write_value(key, 3.0, 0.0)
    kept.close()
    ((name, value, _, _),) = MmapedDict.read_all_values_from_file(str(file))
    assert (name, value) == (key, 3.0)
    (metric,) = MultiProcessCollector.merge([str(file)])
    assert metric.samples[0].value == 3.0


def test_celerys_consumer_calls_back_between_attempts_to_connect() -> None:
    source = inspect.getsource(consumer.Consumer)
    assert "callback=maybe_shutdown" in source
    assert "timer" in inspect.signature(consumer.Consumer).parameters
    assert "obj.register_with_event_loop(hub)" in inspect.getsource(loops.asynloop), "decision 197"
    assert "self.bytes_recv" in inspect.getsource(amqp.Connection.heartbeat_tick), "decision 197"


def test_django_keeps_the_user_of_a_page_beside_the_request() -> None:
    source = inspect.getsource(auth_middleware.get_user)
    assert "request._cached_user = " in source


def test_slixmpp_writes_an_opening_tag_alone() -> None:
    assert "open_only" in inspect.signature(tostring).parameters, "look at finesse/xmpp/stanzas.py"


def test_the_change_form_names_the_button_that_adds_another() -> None:
    assert "_addanother" in inspect.getsource(ModelAdmin.response_add), (
        "look at media/reason_codes/admin.py: it asks which button was pressed"
    )


def test_a_missing_name_says_which_decision_to_look_at() -> None:
    with pytest.raises(AssertionError, match="look at decision 83"):
        has(BaseHandler(), "_no_such_name", "83")


def _attributes(owner: type) -> set[str]:
    """What the class's own methods read and write of `self`."""
    return set(re.findall(r"self\.\w+", inspect.getsource(owner)))
