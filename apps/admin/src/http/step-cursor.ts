import type { ExecutionKey } from '@deespec/domain';

type Place = Omit<ExecutionKey, 'sbiId'>;

/** What a cursor looks like, after the id of an SBI where it crosses several. The name of a step can have any character. */
export const PLACE = String.raw`\d{1,16}\.\d{1,16}\.[\w-]+`;

/** The place of an execution within its SBI, for an address. */
export function cursorOf({ run, turn, step }: Place): string {
  return `${run}.${turn}.${Buffer.from(step).toString('base64url')}`;
}

/** @param cursor - checked to be as {@link cursorOf} makes it */
export function placeOf(cursor: string): Place {
  const [run = '', turn = '', step = ''] = cursor.split('.');
  return { run: Number(run), turn: Number(turn), step: Buffer.from(step, 'base64url').toString() };
}
