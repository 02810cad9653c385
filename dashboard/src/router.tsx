import { createRootRoute, createRoute, createRouter, lazyRouteComponent } from '@tanstack/react-router';
import { Broken, Lost } from './app/lost';
import { Shell } from './app/shell';
import { searchOf } from './environments/search';
import { tabOf, type Tab } from './environment/tabs';

/** Every room on one screen. Each is loaded when it is first entered. */

const root = createRootRoute({ component: Shell, notFoundComponent: Lost, errorComponent: Broken });

const environments = createRoute({
  getParentRoute: () => root,
  path: '/',
  validateSearch: searchOf,
  component: lazyRouteComponent(() => import('./environments/route'), 'EnvironmentsRoute'),
});

const environment = createRoute({
  getParentRoute: () => root,
  path: '/environments/$namespace/$name',
  validateSearch: (raw: Record<string, unknown>): { tab?: Tab | undefined } => ({ tab: tabOf(raw['tab']) }),
  component: lazyRouteComponent(() => import('./environment/route'), 'EnvironmentRoute'),
});

const fresh = createRoute({
  getParentRoute: () => root,
  path: '/new',
  validateSearch: (raw: Record<string, unknown>): { from?: string; template?: string } => ({
    ...(typeof raw['from'] === 'string' ? { from: raw['from'] } : {}),
    ...(typeof raw['template'] === 'string' ? { template: raw['template'] } : {}),
  }),
  component: lazyRouteComponent(() => import('./new/route'), 'NewRoute'),
});

const railway = createRoute({
  getParentRoute: () => root,
  path: '/railway',
  validateSearch: (raw: Record<string, unknown>): { project?: string | undefined; import?: string | undefined } => ({
    ...(typeof raw['project'] === 'string' ? { project: raw['project'] } : {}),
    ...(typeof raw['import'] === 'string' ? { import: raw['import'] } : {}),
  }),
  component: lazyRouteComponent(() => import('./railway/room'), 'RailwayRoom'),
});

const templates = createRoute({
  getParentRoute: () => root,
  path: '/templates',
  component: lazyRouteComponent(() => import('./templates/room'), 'TemplatesRoom'),
});

const previews = createRoute({
  getParentRoute: () => root,
  path: '/previews',
  component: lazyRouteComponent(() => import('./previews/room'), 'PreviewsRoom'),
});

const git = createRoute({
  getParentRoute: () => root,
  path: '/git',
  component: lazyRouteComponent(() => import('./git/room'), 'GitRoom'),
});

const activity = createRoute({
  getParentRoute: () => root,
  path: '/activity',
  component: lazyRouteComponent(() => import('./activity/room'), 'ActivityRoom'),
});

const settings = createRoute({
  getParentRoute: () => root,
  path: '/settings',
  component: lazyRouteComponent(() => import('./settings/room'), 'SettingsRoom'),
});

export const router = createRouter({
  routeTree: root.addChildren([environments, environment, fresh, railway, templates, previews, git, activity, settings]),
  defaultPreload: 'intent',
  scrollRestoration: true,
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
