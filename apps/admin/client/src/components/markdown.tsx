import { useEffect, type ComponentProps } from 'react';
import ReactMarkdown, { type Components } from 'react-markdown';
import rehypeHighlight from 'rehype-highlight';
import rehypeSanitize from 'rehype-sanitize';
import remarkGfm from 'remark-gfm';
import { clipMarks } from './format.js';
import { headingIds, headingPrefix } from './heading-ids.js';
import { htmlAsText } from './html-as-text.js';
import { markdownSchema, safeAddress } from './markdown-schema.js';

type Props<T extends keyof React.JSX.IntrinsicElements> = ComponentProps<T> & { readonly node?: unknown };

function Link({ href, children }: Props<'a'>) {
  const address = safeAddress(href);
  if (address === undefined) {
    return (
      <span
        className="dead-link"
        title={href === undefined ? undefined : `not followed: ${href.slice(0, 200)}`}
      >
        {children}
      </span>
    );
  }
  return (
    <a href={address} target="_blank" rel="noopener noreferrer nofollow" title={address}>
      {children}
    </a>
  );
}

/** A picture is never loaded: its request would tell its owner that somebody reads this. */
function Picture({ src, alt }: Props<'img'>) {
  const address = typeof src === 'string' ? safeAddress(src) : undefined;
  return (
    <span className="picture-box">
      {`picture${alt === undefined || alt === '' ? '' : ` “${alt}”`}, not loaded`}
      {address !== undefined && <code>{address}</code>}
    </span>
  );
}

function heading(level: number) {
  return function Heading({ id, children, ...rest }: Props<'h1'> & { readonly 'data-level'?: number }) {
    const slug = id?.slice(headingPrefix.length) ?? '';
    return (
      <div
        className={`md-heading md-h${level}`}
        role="heading"
        aria-level={Math.min((rest['data-level'] ?? 1) + 2, 6)}
        id={id}
      >
        {children}{' '}
        <a className="heading-link" href={`#${slug}`} aria-label="Link to this heading">
          #
        </a>
      </div>
    );
  };
}

const components: Components = {
  a: Link,
  img: Picture,
  input: ({ checked }) => (
    <span role="img" aria-label={checked === true ? 'done' : 'open'}>
      {checked === true ? '☑' : '☐'}
    </span>
  ),
  // Wide code and tables scroll on their own; the keyboard reaches what can be scrolled.
  pre: ({ children }) => <pre tabIndex={0}>{children}</pre>,
  table: ({ children }) => (
    <div className="md-table" tabIndex={0} role="group" aria-label="Table">
      <table>{children}</table>
    </div>
  ),
  h1: heading(1),
  h2: heading(2),
  h3: heading(3),
  h4: heading(4),
  h5: heading(5),
  h6: heading(6),
};

/** Brings the heading that the address names into view, once the text is there. */
function useHeadingOfAddress(text: string): void {
  useEffect(() => {
    const show = () => {
      const slug = decodeURIComponent(location.hash.slice(1));
      if (slug === '') return;
      document.getElementById(headingPrefix + slug)?.scrollIntoView({ block: 'start' });
    };
    show();
    addEventListener('hashchange', show);
    return () => removeEventListener('hashchange', show);
  }, [text]);
}

/**
 * A text that an agent wrote, as Markdown. It is untrusted: HTML in it stays text, elements and attributes are those of an
 * allow-list, addresses are http, https or mailto, pictures are named and not loaded.
 */
export function Markdown({ text }: { readonly text: string }) {
  useHeadingOfAddress(text);
  return (
    <div className="markdown">
      <ReactMarkdown
        remarkPlugins={[remarkGfm]}
        rehypePlugins={[
          htmlAsText,
          [rehypeSanitize, markdownSchema],
          headingIds,
          [rehypeHighlight, { detect: false }],
        ]}
        urlTransform={(url) => url}
        components={components}
      >
        {clipMarks(text)}
      </ReactMarkdown>
    </div>
  );
}
