import { story } from './story.js';

/** A page and words that are on it once its data are there, in a tree that was cut over. */
export interface KnownPage {
  readonly name: string;
  readonly path: string;
  readonly words: string | RegExp;
}

/** Every page of the app, and the parts of the page of one SBI. */
export const knownPages: readonly KnownPage[] = [
  { name: 'overview', path: '/', words: 'Last verified backup' },
  { name: 'sbis', path: '/sbis', words: 'Payment import' },
  { name: 'search', path: '/sbis?search=broken', words: 'broken' },
  { name: 'sbi', path: `/sbis/${story.payment}`, words: 'the test step timed out' },
  { name: 'step', path: `/sbis/${story.payment}?step=2.5.review`, words: 'What was looked at' },
  {
    name: 'difference',
    path: `/sbis/${story.payment}?step=2.5.review&compare=2.3.review`,
    words: 'the night stops there',
  },
  { name: 'changes', path: `/sbis/${story.payment}?view=changes`, words: 'Since yesterday' },
  { name: 'spec', path: `/sbis/${story.payment}?view=spec`, words: 'Import payments of the bank' },
  { name: 'files', path: `/sbis/${story.payment}?view=files`, words: 'review_5.md' },
  { name: 'fields', path: `/sbis/${story.payment}?view=fields`, words: 'Metadata' },
  { name: 'audit', path: '/audit', words: 'Old and new' },
  { name: 'findings', path: '/findings', words: /rules? hold/u },
  { name: 'conflicts', path: '/conflicts', words: 'Take the version of the files' },
  { name: 'quarantine', path: '/quarantine', words: 'state.json' },
  { name: 'backups', path: '/backups', words: 'can be trusted' },
  { name: 'migration', path: '/migration', words: 'To undo it, roll back' },
  { name: 'schema', path: '/schema', words: 'Checksum' },
  { name: 'config', path: '/config', words: 'setting.max_turns' },
];
