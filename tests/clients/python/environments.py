"""Environments as these tests write them, and where they are kept."""

from kubernetes import client, config

GROUP, VERSION, NAMESPACE, PLURAL = "mirage.dev", "v1alpha1", "default", "environments"
PLACE = (GROUP, VERSION, NAMESPACE, PLURAL)


def connect():
    """Reads the kubeconfig that KUBECONFIG names; every API made from here on uses it."""
    config.load_kube_config()
    return client.CustomObjectsApi()


def environment(name, level="info", **labels):
    """An Environment of one image."""
    return {
        "apiVersion": f"{GROUP}/{VERSION}",
        "kind": "Environment",
        "metadata": {"name": name, "labels": labels},
        "spec": {
            "project": {"name": name},
            "variables": {"LOG_LEVEL": level},
            "services": {"web": {"source": {"image": "nginx:1.29"}}},
        },
    }
