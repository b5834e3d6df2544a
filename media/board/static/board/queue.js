const ENDINGS = { one: "st", two: "nd", few: "rd", other: "th" };
const rules = new Intl.PluralRules("en", { type: "ordinal" });

/** A place in a queue, for people: "3rd of 4". */
export function placeInQueue(place, of) {
  return `${place}${ENDINGS[rules.select(Number(place))]} of ${of}`;
}
