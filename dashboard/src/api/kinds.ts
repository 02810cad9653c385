import type { components as auth } from './generated/auth.mirage.dev_v1alpha1';
import type { components as events } from './generated/events.k8s.io_v1';
import type { components as mirage } from './generated/mirage.dev_v1alpha1';

/** What the generated types leave open and the server always sends. */
export interface Metadata {
  name: string;
  namespace?: string;
  uid: string;
  resourceVersion: string;
  generation?: number;
  creationTimestamp: string;
  deletionTimestamp?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  ownerReferences?: { kind: string; name: string; uid: string }[];
}

type Stored<T> = Omit<T, 'metadata' | 'apiVersion' | 'kind'> & {
  apiVersion?: string;
  kind?: string;
  metadata: Metadata;
};

export type Environment = Stored<mirage['schemas']['dev.mirage.v1alpha1.Environment']>;
export type EnvironmentTemplate = Stored<mirage['schemas']['dev.mirage.v1alpha1.EnvironmentTemplate']>;
export type RailwayAccount = Stored<mirage['schemas']['dev.mirage.v1alpha1.RailwayAccount']>;
export type Orphan = Stored<mirage['schemas']['dev.mirage.v1alpha1.Orphan']>;
export type PreviewPolicy = Stored<mirage['schemas']['dev.mirage.v1alpha1.PreviewPolicy']>;
export type GitSync = Stored<mirage['schemas']['dev.mirage.v1alpha1.GitSync']>;
export type SecretStore = Stored<mirage['schemas']['dev.mirage.v1alpha1.SecretStore']>;
export type Token = Stored<auth['schemas']['dev.mirage.auth.v1alpha1.Token']>;
export type Event = Stored<events['schemas']['io.k8s.events.v1.Event']>;

export type EnvironmentSpec = Environment['spec'];
export type EnvironmentStatus = NonNullable<Environment['status']>;
export type ServiceSpec = NonNullable<NonNullable<EnvironmentSpec['services']>[string]>;
export type ServiceStatus = NonNullable<EnvironmentStatus['services']>[string];
export type Condition = NonNullable<EnvironmentStatus['conditions']>[number];
export type Plan = NonNullable<EnvironmentStatus['plan']>;
export type PlannedAction = NonNullable<EnvironmentStatus['drift']>[number];
export type EnvironmentType = NonNullable<EnvironmentSpec['type']>;

/** Anything that is stored. */
export interface KubernetesObject {
  apiVersion?: string;
  kind?: string;
  metadata: Metadata;
}

export interface List<T> {
  metadata: { resourceVersion: string; continue?: string };
  items: T[];
}
