/**
 * The page runs under `require-trusted-types-for 'script'`: the browser refuses text where HTML is expected. Mantine hands
 * its style sheet to React as such a text. This policy lets through what cannot be an element, and nothing else; a module
 * of its own, because it has to run before anything renders.
 */
interface PolicyFactory {
  createPolicy(name: string, rules: { createHTML: (text: string) => string | null }): unknown;
}

const factory = (globalThis as { trustedTypes?: PolicyFactory }).trustedTypes;
factory?.createPolicy('default', { createHTML: (text) => (text.includes('<') ? null : text) });

export {};
