/** A package without types. */
declare module "eslint-plugin-no-unsanitized";
