"""The same processes in containers: a compose file, and manifests for Kubernetes."""

from pathlib import Path
from typing import Any

import yaml

from finesse import readiness
from finesse.production import commands
from finesse.production.processes import PROCESSES, SOCKETS, WEB, Process
from finesse.server import liveness

IMAGE = "finesse-media:latest"
EVERYWHERE = "0.0.0.0"
READY = "/finesse/api/SystemInfo"
"""Answered by each server for itself, also while the service is out of service: clients are to read
the protocol's own 503, and not that of a proxy without a server."""
ALIVE = liveness.PATH
"""Asks for nothing else: a server is not started anew since PostgreSQL is away."""
SECRET = "finesse-media"
"""Name of the Secret with the environment, a key for each variable."""
TEMPORARY = Path("/tmp")
MEMORY_LIMIT_TIMES = 2
"""What a process may take, in times of what was measured."""


def compose(note: str) -> str:
    """Services by the names of the processes, beside a service that migrates first."""
    services: dict[str, Any] = {"migrate": _container(("-m", "finesse.command_line", "migrate"))}
    for process in PROCESSES:
        service = _container(_command(process, "0", "%h"))
        service |= {
            "restart": "always",
            "depends_on": {"migrate": {"condition": "service_completed_successfully"}},
            "stop_signal": f"SIG{process.stop_signal}",
            "stop_grace_period": f"{process.grace_seconds}s",
            "deploy": {"replicas": _replicas(process)},
            "mem_limit": f"{process.memory_mib * MEMORY_LIMIT_TIMES}m",
            "ulimits": {"nofile": process.descriptors},
        }
        if process.port:
            service["ports"] = [f"127.0.0.1:{process.port}:{process.port}"]
            # Two containers cannot have one port of the machine.
            service["deploy"] = {"replicas": 1}
        if process.is_optional:
            service["profiles"] = ["xmpp"]
        services[process.name] = service
    return _dump(note, [{"name": "finesse-media", "services": services}])


def _container(command: tuple[str, ...]) -> dict[str, Any]:
    return {
        "image": IMAGE,
        "build": {"context": "..", "dockerfile": "deploy/Containerfile"},
        "command": list(command),
        # SECRET_KEY, ALLOWED_HOSTS, DATABASE_URL and the others; for its owner only.
        "env_file": ["finesse.env"],
        "read_only": True,
        "tmpfs": ["/tmp", "/var/lib/finesse-media:uid=10001"],
    }


def _command(process: Process, number: str, host: str) -> tuple[str, ...]:
    """Containers have host names of their own, so a worker needs no number."""
    values = {"instance": "finesse", "number": number, "host": host}
    return tuple(commands.filled(commands.with_address(process, EVERYWHERE), values))


def kubernetes(note: str, host: str) -> str:
    """A Job that migrates, and for each process a Deployment with what stands before it."""
    documents = [_migration()]
    for process in PROCESSES:
        documents.append(_deployment(process))
        if _replicas(process) > 1:
            documents.append(_disruption_budget(process))
        if process.port:
            documents.append(_service(process))
    return _dump(note, [*documents, _ingress(host)])


def _replicas(process: Process) -> int:
    return 1 if process.takes_turns else process.number or 2


def _labels(name: str) -> dict[str, str]:
    return {"app.kubernetes.io/name": "finesse-media", "app.kubernetes.io/component": name}


def _metadata(name: str) -> dict[str, Any]:
    return {"name": f"finesse-{name}", "labels": _labels(name)}


def _pod(name: str, command: tuple[str, ...], **more: Any) -> dict[str, Any]:
    container = {
        "name": name,
        "image": IMAGE,
        "args": list(command),
        "envFrom": [{"secretRef": {"name": SECRET}}],
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
        },
        "volumeMounts": [
            {"name": "data", "mountPath": "/var/lib/finesse-media"},
            {"name": "tmp", "mountPath": "/tmp"},
        ],
        **more,
    }
    return {
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": 10001,
            "fsGroup": 10001,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "automountServiceAccountToken": False,
        "containers": [container],
        "volumes": [{"name": "data", "emptyDir": {}}, {"name": "tmp", "emptyDir": {}}],
    }


def _migration() -> dict[str, Any]:
    pod = _pod("migrate", ("-m", "finesse.command_line", "migrate"))
    template = {
        "metadata": {"labels": _labels("migrate")},
        "spec": pod | {"restartPolicy": "Never"},
    }
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": _metadata("migrate"),
        "spec": {"backoffLimit": 3, "template": template},
    }


def _deployment(process: Process) -> dict[str, Any]:
    memory = process.memory_mib
    more: dict[str, Any] = {
        "resources": {
            "requests": {"memory": f"{memory}Mi", "cpu": "100m"},
            "limits": {"memory": f"{memory * MEMORY_LIMIT_TIMES}Mi"},
        }
    }
    if process.port:
        alive, ready = (
            {"httpGet": {"path": path, "port": "http"}, "timeoutSeconds": 3}
            for path in (ALIVE, READY)
        )
        more |= {
            "ports": [{"name": "http", "containerPort": process.port}],
            "startupProbe": alive | {"periodSeconds": 2, "failureThreshold": 30},
            "readinessProbe": ready | {"periodSeconds": 2, "failureThreshold": 2},
            "livenessProbe": alive | {"periodSeconds": 10, "failureThreshold": 3},
            # Until no proxy sends anything here any more.
            "lifecycle": {"preStop": {"exec": {"command": ["sleep", "5"]}}},
        }
    else:
        # For a rolling update, which takes an old pod away for each new one that is ready.
        mark = readiness.mark(TEMPORARY, process.name)
        more |= {
            "env": [
                {"name": readiness.FOLDER_VARIABLE, "value": str(TEMPORARY)},
                {"name": readiness.NAME_VARIABLE, "value": process.name},
            ],
            "readinessProbe": {
                "exec": {"command": ["test", "-e", str(mark)]},
                "periodSeconds": 2,
            },
        }
    pod = _pod(process.name, _command(process, "0", "%h"), **more)
    pod["terminationGracePeriodSeconds"] = process.grace_seconds + 5
    labels = _labels(process.name)
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": _metadata(process.name),
        "spec": {
            # The component is for installations with Prosody: scale it to 1 there.
            "replicas": 0 if process.is_optional else _replicas(process),
            "minReadySeconds": process.start_seconds,
            "selector": {"matchLabels": labels},
            "strategy": {"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
            "template": {"metadata": {"labels": labels}, "spec": pod},
        },
    }


def _disruption_budget(process: Process) -> dict[str, Any]:
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": _metadata(process.name),
        "spec": {"minAvailable": 1, "selector": {"matchLabels": _labels(process.name)}},
    }


def _service(process: Process) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": _metadata(process.name),
        "spec": {
            "selector": _labels(process.name),
            "ports": [{"name": "http", "port": process.port, "targetPort": "http"}],
        },
    }


def _ingress(host: str) -> dict[str, Any]:
    """Bodies are buffered by the controller (nginx's does so by default)."""

    def path(path: str, process: Process) -> dict[str, Any]:
        service = {"name": f"finesse-{process.name}", "port": {"name": "http"}}
        return {"path": path, "pathType": "Prefix", "backend": {"service": service}}

    paths = [path("/ws", SOCKETS), path("/http-bind", SOCKETS), path("/", WEB)]
    annotations = {
        f"nginx.ingress.kubernetes.io/{name}": value
        for name, value in {
            "proxy-body-size": "3m",
            "proxy-read-timeout": "3600",
            "proxy-send-timeout": "3600",
            "proxy-next-upstream": "off",
        }.items()
    }
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {
            "name": "finesse",
            "labels": _labels("ingress"),
            "annotations": annotations,
        },
        "spec": {
            "tls": [{"hosts": [host], "secretName": "finesse-tls"}],
            "rules": [{"host": host, "http": {"paths": paths}}],
        },
    }


def _dump(note: str, documents: list[dict[str, Any]]) -> str:
    text = yaml.safe_dump_all(documents, sort_keys=False, explicit_start=len(documents) > 1)
    return f"# {note}\n{text}"
