/** The pages in the order of the navigation; the palette and the router read the same list. */
export const pageGroups = [
  {
    group: 'Work',
    pages: [
      { path: '/', label: 'Overview', what: 'mode, evidence, debt, counts, charts, next step' },
      { path: '/sbis', label: 'SBIs', what: 'filter, sort and search backlog items' },
      { path: '/audit', label: 'Audit', what: 'who changed what, old and new' },
    ],
  },
  {
    group: 'Integrity',
    pages: [
      { path: '/findings', label: 'Findings', what: 'what breaks a rule, why, and what to do' },
      { path: '/conflicts', label: 'Conflicts', what: 'both versions side by side, choose one' },
      { path: '/quarantine', label: 'Quarantine', what: 'kept, not interpreted, and why' },
    ],
  },
  {
    group: 'Operate',
    pages: [
      { path: '/backups', label: 'Backups', what: 'create, verify, restore; can the last one be trusted' },
      {
        path: '/migration',
        label: 'Migration',
        what: 'dry run, migrate, cut over, rehearse, roll back (undo)',
      },
    ],
  },
  {
    group: 'Set-up',
    pages: [
      { path: '/schema', label: 'Schema', what: 'versions and checksums of the database' },
      { path: '/config', label: 'Config', what: 'settings of the tree' },
    ],
  },
] as const;

/** Path of a page that the navigation leads to. */
export type PagePath = (typeof pageGroups)[number]['pages'][number]['path'];
