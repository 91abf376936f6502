// Walks through the panel in Firefox: `node firefox.mjs`, with a JSON object on standard input.
//
// It has `executable`, the `url` of Home Assistant, what is `stored` there for a user who is logged in, and `pages`:
// of each tab a text that it shows; with a folder `pictures` it takes one of each page. What was seen is printed as JSON: the text of each page, and the errors.
import { text } from "node:stream/consumers";
import process from "node:process";

import puppeteer from "puppeteer-core";

const WAIT_MS = 30_000;

/** @type {{ executable: string, url: string, stored: Record<string, string>, pages: Record<string, string>, pictures?: string }} */
const { executable, url, stored, pages, pictures } = JSON.parse(await text(process.stdin));
/** @type {string[]} */
const errors = [];
/** @type {Record<string, string>} */
const seen = {};

const browser = await puppeteer.launch({ browser: "firefox", executablePath: executable, headless: true });
try {
  const page = await browser.newPage();
  page.setDefaultTimeout(WAIT_MS);
  await page.setViewport({ width: 1400, height: 1150 });
  page.on("pageerror", (error) => errors.push(String(error)));
  page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
  await page.evaluateOnNewDocument((values) => Object.assign(localStorage, values), stored);
  await page.evaluateOnNewDocument(`window.shown = ${shown}`);
  await page.goto(`${url}/ha-ingestor`);
  for (const [name, sign] of Object.entries(pages)) {
    const tab = await page.waitForSelector(`>>> ha-tab-group-tab[data-page="${name}"]`);
    await tab?.click();
    await page.waitForFunction(`window.shown().includes(${JSON.stringify(sign)})`);
    seen[name] = String(await page.evaluate("window.shown()"));
    if (pictures) await page.screenshot({ path: `${pictures}/panel_${name}_firefox.png` });
  }
} finally {
  await browser.close();
}
process.stdout.write(JSON.stringify({ errors, seen }));

/** The text that the panel shows, below all roots. Runs in the browser. */
function shown() {
  /** @type {(node: Node) => string} */
  const read = (node) => {
    if (node.nodeType === Node.TEXT_NODE) return node.textContent ?? "";
    const root = /** @type {Element} */ (node).shadowRoot;
    const children = [...(root ? root.childNodes : []), ...node.childNodes];
    return node.nodeName === "STYLE" ? "" : children.map(read).join(" ");
  };
  /** @type {(root: ParentNode) => Element | null} */
  const find = (root) => {
    const found = root.querySelector("ha-ingestor-panel");
    if (found) return found;
    for (const each of root.querySelectorAll("*")) {
      const inside = each.shadowRoot && find(each.shadowRoot);
      if (inside) return inside;
    }
    return null;
  };
  const panel = find(document);
  return panel ? read(panel).replace(/\s+/g, " ") : "";
}
