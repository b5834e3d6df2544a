import { EVERYTHING } from "./filter.js";

const LISTS = { team: "teams", mrd: "mrds", state: "states", reason: "reasons" };
const LONGEST_LIMIT_MINUTES = 10_000;

/** How the board is shown, beside the filter. `descending` is null for the column's own direction. */
export const PLAIN = Object.freeze({ rows: "mrds", sort: "agent", descending: null, isWall: false });

/**
 * The view of a page's address: {filter, rows, sort, descending, isWall}. What an address cannot mean
 * is left out, as somebody may have typed it.
 */
export function readAddress(search) {
  const query = new URLSearchParams(search);
  const filter = { ...EVERYTHING, text: query.get("q") ?? "" };
  for (const [name, facet] of Object.entries(LISTS)) filter[facet] = [...new Set(query.getAll(name))];
  filter.hidesSignedOut = query.get("signed-out") === "hide";
  filter.longerThan = minutesOf(query.get("longer"));
  filter.onlyOver = query.get("only") === "over";
  const order = query.get("order");
  return {
    filter,
    rows: query.get("rows") === "agents" ? "agents" : PLAIN.rows,
    sort: query.get("sort") ?? PLAIN.sort,
    descending: order === "desc" ? true : order === "asc" ? false : null,
    isWall: query.get("wall") === "1",
  };
}

/** The query of the address that shows this view, with what is not the default alone. */
export function writeAddress({ filter, rows, sort, descending, isWall }) {
  const query = new URLSearchParams();
  if (filter.text.trim()) query.set("q", filter.text.trim());
  for (const [name, facet] of Object.entries(LISTS)) filter[facet].forEach((value) => query.append(name, value));
  if (filter.hidesSignedOut) query.set("signed-out", "hide");
  if (filter.longerThan !== null) query.set("longer", filter.longerThan);
  if (filter.onlyOver) query.set("only", "over");
  if (rows !== PLAIN.rows) query.set("rows", rows);
  if (sort !== PLAIN.sort) query.set("sort", sort);
  if (descending !== null) query.set("order", descending ? "desc" : "asc");
  if (isWall) query.set("wall", "1");
  const text = query.toString();
  return text ? `?${text}` : "";
}

/** Whole minutes from 1 on, or null. */
export function minutesOf(text) {
  if (!/^\s*\d{1,5}\s*$/.test(text ?? "")) return null;
  const minutes = Number(text);
  return minutes >= 1 && minutes <= LONGEST_LIMIT_MINUTES ? minutes : null;
}
