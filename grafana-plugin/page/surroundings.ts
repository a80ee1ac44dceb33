// What Grafana's packages expect of a page, and our content security policy of them; to be imported before them.
import { cache } from '@emotion/css';

declare global {
  interface Window {
    /** Where Grafana's style sheets look for fonts. */
    __grafana_public_path__: string;
  }
}

window.__grafana_public_path__ = 'page/';
// The nonce that the agent gave this page's script lets the styles through that it writes.
const nonce = document.querySelector('script')?.nonce;
if (nonce !== undefined) cache.sheet.nonce = nonce;

/** Where all styles of the page are written. */
export const styleCache = cache;
