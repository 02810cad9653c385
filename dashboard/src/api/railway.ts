import type { components } from './generated/product';
import { request } from './request';

type Schemas = components['schemas'];

export type RailwayProject = Schemas['RailwayProject'];
export type RailwayEnvironment = Schemas['RailwayEnvironment'];
export type RailwayService = Schemas['RailwayService'];
export type RailwayDeployment = Schemas['RailwayDeployment'];
export type ImportItem = Schemas['ImportItem'];
export type ImportState = Schemas['ImportState'];
export type ImportOperation = Schemas['ImportOperation'];
export type ImportWish = Schemas['ImportWish'];

interface Listed<T> {
  items: T[];
}

/** An address below the projects, as the account of that namespace sees them. */
function path(namespace: string, ...parts: string[]): string {
  const within = parts.map((part) => `/${encodeURIComponent(part)}`).join('');
  return `/api/v1/railway/projects${within}?${new URLSearchParams({ namespace }).toString()}`;
}

/** All projects, with how many of their environments are managed. */
export async function projectsOf(namespace: string, signal: AbortSignal): Promise<RailwayProject[]> {
  return (await request<Listed<RailwayProject>>(path(namespace), { signal })).items;
}

/** The environments of a project, without their services. */
export async function environmentsOf(namespace: string, project: string, signal: AbortSignal): Promise<RailwayEnvironment[]> {
  const listed = await request<Listed<RailwayEnvironment>>(path(namespace, project, 'environments'), { signal });
  return listed.items;
}

/** One environment, with its services. */
export function environmentOf(
  namespace: string,
  project: string,
  environment: string,
  signal: AbortSignal,
): Promise<RailwayEnvironment> {
  return request<RailwayEnvironment>(path(namespace, project, 'environments', environment), { signal });
}

/** The newest deployments of a service. */
export async function deploymentsOf(
  namespace: string,
  { project, environment, service }: { project: string; environment: string; service: string },
  signal: AbortSignal,
): Promise<RailwayDeployment[]> {
  const of = path(namespace, project, 'environments', environment, 'services', service, 'deployments');
  return (await request<Listed<RailwayDeployment>>(`${of}&limit=5`, { signal })).items;
}

/** What an import would come to; nothing is made. */
export function validateImport(namespace: string, items: ImportWish[], signal: AbortSignal): Promise<ImportOperation> {
  return request<ImportOperation>('/api/v1/import/validate', { method: 'POST', body: { namespace, items }, signal });
}

/** Makes an Environment for each that can be imported. */
export function startImport(namespace: string, items: ImportWish[]): Promise<ImportOperation> {
  return request<ImportOperation>('/api/v1/import', { method: 'POST', body: { namespace, items } });
}

/** How far an import is. */
export function importProgress(id: string, signal: AbortSignal): Promise<ImportOperation> {
  return request<ImportOperation>(`/api/v1/import/${encodeURIComponent(id)}`, { signal });
}
