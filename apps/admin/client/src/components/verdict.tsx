import type { ReactNode } from 'react';
import { Icon } from './icons.js';

interface VerdictProps {
  readonly tone: 'good' | 'attention' | 'bad';
  /** The answer in one sentence. */
  readonly title: ReactNode;
  /** Why it is so, and what to do. */
  readonly children?: ReactNode;
}

const icons = { good: 'check', attention: 'warning', bad: 'cross' } as const;
const words = { good: 'Good', attention: 'Needs attention', bad: 'Bad' } as const;

/** The answer to the question of a page, before its details. */
export function Verdict({ tone, title, children }: VerdictProps) {
  return (
    <div className={`verdict verdict-${tone}`}>
      <div className="verdict-title">
        <Icon name={icons[tone]} /> <span className="visually-hidden">{`${words[tone]}: `}</span>
        {title}
      </div>
      {children}
    </div>
  );
}
