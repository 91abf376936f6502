// How the JavaScript of the panel, and that of its tests, is written.
import js from "@eslint/js";
import globals from "globals";
import { configs as lit } from "eslint-plugin-lit";
import noUnsanitized from "eslint-plugin-no-unsanitized";

const FRONTEND = "custom_components/ha_ingestor/frontend/**/*.js";

export default [
  js.configs.recommended,
  {
    linterOptions: { reportUnusedDisableDirectives: "error" },
    rules: {
      curly: ["error", "multi-line"],
      eqeqeq: ["error", "always", { null: "ignore" }],
      "no-else-return": "error",
      "no-implicit-coercion": "error",
      "no-shadow": "error",
      "no-use-before-define": ["error", { functions: false, classes: false, variables: false }],
      "no-var": "error",
      "object-shorthand": "error",
      "prefer-const": "error",
      "prefer-template": "error",
    },
  },
  { files: [FRONTEND], languageOptions: { globals: globals.browser } },
  { files: [FRONTEND], ...lit["flat/recommended"] },
  { files: [FRONTEND], ...noUnsanitized.configs.recommended },
  { files: ["tests/frontend/**/*.mjs"], languageOptions: { globals: globals.node } },
  // A part of it runs in the browser.
  { files: ["tests/frontend/firefox.mjs"], languageOptions: { globals: globals.browser } },
];
