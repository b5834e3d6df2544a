/** Modules find each other as on a page: the server shows the static files of all parts in one folder. */
import { register } from "node:module";

register("./served-hooks.mjs", import.meta.url);
