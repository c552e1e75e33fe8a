import { defaultSchema, type Options } from 'rehype-sanitize';

/**
 * What a text that an agent wrote may become: the elements of Markdown, no attribute but the ones below. Pictures, forms,
 * styles and foreign content are not in the list; ids are added by us after this has run, with a prefix of ours.
 */
export const markdownSchema: Options = {
  tagNames: [
    ...['h1', 'h2', 'h3', 'h4', 'h5', 'h6', 'p', 'br', 'hr', 'blockquote', 'ul', 'ol', 'li'],
    ...['strong', 'em', 'del', 'code', 'pre', 'a', 'img', 'input', 'sup', 'section'],
    ...['table', 'thead', 'tbody', 'tr', 'th', 'td'],
  ],
  attributes: {
    a: ['href'],
    img: ['alt', 'src'],
    code: [['className', /^language-[\w+#-]{1,40}$/u]],
    input: [['type', 'checkbox'], 'checked'],
    ol: ['start'],
    th: ['align'],
    td: ['align'],
  },
  protocols: { href: ['http', 'https', 'mailto'], src: ['http', 'https'] },
  required: defaultSchema.required ?? {},
  strip: ['script', 'style'],
  clobber: [],
};

/** The address when a click on it may leave the page: http, https or mailto; anything else is `undefined`. */
export function safeAddress(address: string | undefined): string | undefined {
  if (address === undefined) return undefined;
  const match = /^(https?|mailto):/iu.exec(address);
  return match === null || !URL.canParse(address) ? undefined : address;
}
