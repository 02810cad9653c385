// Environments as these tests write them, and where they are kept.

import * as k8s from '@kubernetes/client-node';

export const place = { group: 'mirage.dev', version: 'v1alpha1', namespace: 'default', plural: 'environments' };
export const path = '/apis/mirage.dev/v1alpha1/namespaces/default/environments';

/** Reads the kubeconfig that KUBECONFIG names. */
export function connect() {
  const config = new k8s.KubeConfig();
  config.loadFromDefault();
  return config;
}

/** An Environment of one image. */
export function environment(name, labels = {}) {
  return {
    apiVersion: 'mirage.dev/v1alpha1',
    kind: 'Environment',
    metadata: { name, namespace: 'default', labels },
    spec: {
      project: { name },
      variables: { LOG_LEVEL: 'info' },
      services: { web: { source: { image: 'nginx:1.29' } } },
    },
  };
}

/** The status object of an error that the API answered with. */
export function status(error) {
  return typeof error.body === 'string' ? JSON.parse(error.body) : error.body;
}
