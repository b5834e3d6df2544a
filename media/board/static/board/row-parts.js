/** Writes an agent's name, id and team; `shown` remembers what was written. */
export function nameInto(element, agent, shown) {
  write(element, shown, "[data-field=agent] .name", agent.name);
  write(element, shown, "[data-field=agent] .id", agent.id === agent.name ? "" : agent.id);
  write(element, shown, "[data-field=team]", agent.team || "–");
}

function write(element, shown, selector, text) {
  if (shown[selector] === text) return;
  shown[selector] = text;
  element.querySelector(selector).textContent = text;
}

/** Sets the check box of an element that stands for these cells; it is hidden where one may not act. */
export function selectorInto(element, cells, name, selection) {
  const box = element.querySelector("[data-part=select]");
  const chosen = cells.filter((cell) => selection.has(cell)).length;
  const mayChoose = cells.length > 0 && cells.every((cell) => selection.mayChoose(cell));
  if (box.hidden === mayChoose) box.hidden = !mayChoose;
  box.cells = cells;
  const label = `Select ${name}`;
  if (box.ariaLabel !== label) box.ariaLabel = label;
  box.checked = mayChoose && chosen === cells.length;
  box.indeterminate = chosen > 0 && chosen < cells.length;
}
