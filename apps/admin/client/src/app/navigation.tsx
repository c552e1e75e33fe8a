import { Link } from '@tanstack/react-router';
import { pageGroups } from './pages.js';

interface NavigationProps {
  /** Numbers beside a page: what waits there for somebody. */
  readonly counts: Readonly<Partial<Record<string, number>>>;
  /** Called when a page was chosen; closes the menu on a small screen. */
  readonly onChoose: () => void;
}

/** The pages, in groups. */
export function Navigation({ counts, onChoose }: NavigationProps) {
  return (
    <nav aria-label="Pages" className="navigation">
      {pageGroups.map(({ group, pages }) => (
        <div key={group}>
          <div className="navigation-group" id={`group-${group}`}>
            {group}
          </div>
          <ul aria-labelledby={`group-${group}`}>
            {pages.map(({ path, label }) => {
              const count = counts[path] ?? 0;
              return (
                <li key={path}>
                  <Link
                    to={path}
                    activeOptions={{ exact: path === '/', includeSearch: false }}
                    onClick={onChoose}
                  >
                    {label}
                    {count > 0 && (
                      <span className="navigation-count" aria-label={`${count} waiting`}>
                        {count > 999 ? '999+' : count}
                      </span>
                    )}
                  </Link>
                </li>
              );
            })}
          </ul>
        </div>
      ))}
    </nav>
  );
}
