import { useEffect, useState } from 'react';
import { usePreferences } from '../app/preferences.js';
import { formatAge, formatTime } from './format.js';

/** Milliseconds since 1970, renewed twice a minute, so that ages on the page stay true. */
export function useNow(): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 30_000);
    return () => clearInterval(timer);
  }, []);
  return now;
}

interface TimeProps {
  /** ISO 8601; absent shows a dash. */
  readonly value: string | null | undefined;
  /** `age` shows "3 h ago" with the time as its title; `both` the time and, after it, the age. */
  readonly show?: 'time' | 'age' | 'both';
}

/** A moment in the zone that the user chose; the other zone is in its title. */
export function Time({ value, show = 'time' }: TimeProps) {
  const { zone } = usePreferences();
  const now = useNow();
  if (value === null || value === undefined || value === '') return <span>–</span>;
  const other = formatTime(value, zone === 'utc' ? 'local' : 'utc');
  const here = formatTime(value, zone);
  const age = formatAge(value, now);
  return (
    <time
      dateTime={value}
      title={`${here} · ${other} ${zone === 'utc' ? '(local)' : ''} · ${age}`}
      className="time"
    >
      {show !== 'age' && <span className="nowrap">{here}</span>}
      {show === 'both' && ' '}
      {show !== 'time' && <span className="nowrap">{show === 'both' ? `(${age})` : age}</span>}
    </time>
  );
}
