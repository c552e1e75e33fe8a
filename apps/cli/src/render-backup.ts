import type { BackupEntry } from '@deespec/storage';
import { formatCount, localTime } from './render.js';

/** Every backup with its age, size and standing. */
export async function renderBackups(backups: readonly BackupEntry[]): Promise<string> {
  if (backups.length === 0) return 'no backups yet: deespec backup create\n';
  const { renderTable } = await import('./render-table.js');
  return renderTable<BackupEntry>(
    [
      { title: 'BACKUP', value: ({ id }) => id, maxLength: 60 },
      { title: 'AGE', value: ({ ageSeconds }) => (ageSeconds === undefined ? '' : formatAge(ageSeconds)) },
      { title: 'BYTES', value: ({ bytes }) => formatCount(bytes) },
      { title: 'STATE', value: ({ state }) => state },
      { title: 'VERIFIED', value: ({ manifest }) => localTime(manifest?.verifiedAt ?? '') },
      { title: 'NOTE', value: ({ manifest, problem }) => problem ?? manifest?.note ?? '', maxLength: 80 },
    ],
    backups,
  );
}

const units = [
  ['d', 86_400],
  ['h', 3_600],
  ['min', 60],
] as const;

/** How old something is, in the largest unit that it fills. */
function formatAge(seconds: number): string {
  const [name, length] = units.find(([, one]) => seconds >= one) ?? (['s', 1] as const);
  return `${Math.floor(seconds / length)} ${name}`;
}
