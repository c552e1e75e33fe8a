import { createRootRoute, createRoute, createRouter, lazyRouteComponent } from '@tanstack/react-router';
import { Failure, Loading } from '../components/states.js';
import { NotFound } from './not-found.js';
import {
  auditSearch,
  conflictSearch,
  findingSearch,
  migrationSearch,
  sbiSearch,
  sbisSearch,
} from './search.js';
import { Shell } from './shell.js';

const root = createRootRoute({ component: Shell, notFoundComponent: NotFound });
const parent = { getParentRoute: () => root };

const routes = [
  createRoute({
    ...parent,
    path: '/',
    component: lazyRouteComponent(() => import('../pages/overview.js'), 'OverviewPage'),
  }),
  createRoute({
    ...parent,
    path: '/sbis',
    validateSearch: sbisSearch,
    component: lazyRouteComponent(() => import('../pages/sbis.js'), 'SbisPage'),
  }),
  createRoute({
    ...parent,
    path: '/sbis/$id',
    validateSearch: sbiSearch,
    component: lazyRouteComponent(() => import('../pages/sbi.js'), 'SbiPage'),
  }),
  createRoute({
    ...parent,
    path: '/audit',
    validateSearch: auditSearch,
    component: lazyRouteComponent(() => import('../pages/audit.js'), 'AuditPage'),
  }),
  createRoute({
    ...parent,
    path: '/findings',
    validateSearch: findingSearch,
    component: lazyRouteComponent(() => import('../pages/findings.js'), 'FindingsPage'),
  }),
  createRoute({
    ...parent,
    path: '/conflicts',
    validateSearch: conflictSearch,
    component: lazyRouteComponent(() => import('../pages/conflicts.js'), 'ConflictsPage'),
  }),
  createRoute({
    ...parent,
    path: '/quarantine',
    component: lazyRouteComponent(() => import('../pages/quarantine.js'), 'QuarantinePage'),
  }),
  createRoute({
    ...parent,
    path: '/backups',
    component: lazyRouteComponent(() => import('../pages/backups.js'), 'BackupsPage'),
  }),
  createRoute({
    ...parent,
    path: '/migration',
    validateSearch: migrationSearch,
    component: lazyRouteComponent(() => import('../pages/migration.js'), 'MigrationPage'),
  }),
  createRoute({
    ...parent,
    path: '/schema',
    component: lazyRouteComponent(() => import('../pages/schema.js'), 'SchemaPage'),
  }),
  createRoute({
    ...parent,
    path: '/config',
    component: lazyRouteComponent(() => import('../pages/config.js'), 'ConfigPage'),
  }),
] as const;

/** Every page with what its address holds; pages are loaded when they are opened. */
export const router = createRouter({
  routeTree: root.addChildren(routes),
  defaultPendingComponent: () => <Loading what="the page" />,
  defaultErrorComponent: ({ error, reset }) => (
    <Failure error={error} what="This page could not be shown" retry={reset} />
  ),
  scrollRestoration: true,
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
