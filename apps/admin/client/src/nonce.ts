const element = document.querySelector<HTMLMetaElement>('meta[name="csp-nonce"]');
const nonce = element?.content ?? '';
element?.remove();

/** Nonce of the Content-Security-Policy for style elements that are made at run time; the server writes it into the page. */
export function getStyleNonce(): string {
  return nonce;
}

/** Read by the module that keeps the page from scrolling behind a dialog. */
(globalThis as { __webpack_nonce__?: string }).__webpack_nonce__ = nonce;
