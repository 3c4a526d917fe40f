"""What every page must keep, whoever looks at it: names, order, contrast, focus, room on a small screen."""

# Runs in the page and returns a list of complaints. Contrast as WCAG 2.2 §1.4.3 counts it.
SCRIPT = r"""
() => {
  const complaints = [];
  const visible = (e) => e.checkVisibility({ opacityProperty: true, visibilityProperty: true })
    && e.getBoundingClientRect().width > 1;
  const path = (e) => [e.tagName.toLowerCase(), ...e.classList].join(".") + (e.id ? "#" + e.id : "") + " "
    + JSON.stringify((e.textContent ?? "").trim().slice(0, 40));
  const all = (selector) => [...document.querySelectorAll(selector)].filter(visible);

  if (!document.documentElement.lang) complaints.push("the page has no language");
  if (!document.title) complaints.push("the page has no title");
  if (all("h1").length !== 1) complaints.push(`there are ${all("h1").length} h1`);
  let level = 0;
  // Also those that are there for screen readers alone.
  for (const heading of [...document.querySelectorAll("h1, h2, h3, h4")].filter((e) => e.checkVisibility())) {
    const now = Number(heading.tagName[1]);
    if (now > level + 1) complaints.push(`${path(heading)} skips a level after h${level}`);
    level = now;
  }
  const seen = new Set();
  for (const e of document.querySelectorAll("[id]")) {
    if (seen.has(e.id)) complaints.push(`the id ${e.id} is there twice`);
    seen.add(e.id);
  }
  for (const e of all("svg, img")) {
    if (!e.closest("[aria-hidden=true]") && !e.getAttribute("alt") && !e.getAttribute("aria-label")) {
      complaints.push(`${path(e)} is an image without words`);
    }
  }

  const name = (e) => (e.getAttribute("aria-label") ?? "").trim()
    || [...(e.labels ?? [])].map((one) => one.textContent.trim()).join(" ")
    || (e.tagName === "INPUT" ? "" : e.textContent.trim());
  for (const e of all("button, a[href], input:not([type=hidden]), select, textarea")) {
    if (!name(e)) complaints.push(`${path(e)} has no name`);
    const label = e.getAttribute("aria-label");
    const word = (e.textContent ?? "").trim().split(/\s+/)[0];
    if (label && word && !label.toLowerCase().includes(word.toLowerCase())) {
      complaints.push(`${path(e)} is called ${label}, which is not what it shows (WCAG 2.5.3)`);
    }
    const box = e.getBoundingClientRect();
    const target = e.labels?.[0]?.getBoundingClientRect() ?? box;
    const inText = e.tagName === "A" && e.parentElement.textContent.trim() !== e.textContent.trim();
    if (!inText && Math.max(box.height, target.height) < 24) complaints.push(`${path(e)} is too small to hit`);
  }

  const parse = (text) => {
    const numbers = text.match(/[\d.]+/g)?.map(Number) ?? [0, 0, 0, 0];
    const scale = text.startsWith("color(") ? 255 : 1;
    return { rgb: numbers.slice(0, 3).map((v) => v * scale), alpha: numbers[3] ?? 1 };
  };
  const over = (top, bottom) => top.rgb.map((v, i) => v * top.alpha + bottom[i] * (1 - top.alpha));
  const ground = (e) => {
    const layers = [];
    for (let at = e; at; at = at.parentElement) {
      const colour = parse(getComputedStyle(at).backgroundColor);
      if (colour.alpha > 0) layers.push(colour);
      if (colour.alpha === 1) break;
    }
    return layers.reverse().reduce((below, layer) => over(layer, below), [255, 255, 255]);
  };
  const luminance = (rgb) => rgb.map((v) => v / 255).map((v) => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const e = walker.currentNode.parentElement;
    if (!walker.currentNode.textContent.trim() || !visible(e)) continue;
    if (e.closest(":disabled, [aria-busy=true]")) continue;
    if (document.querySelector("dialog[open]") && !e.closest("dialog")) continue;
    const style = getComputedStyle(e);
    const behind = ground(e);
    const [a, b] = [luminance(over(parse(style.color), behind)), luminance(behind)].sort((x, y) => y - x);
    const ratio = (a + .05) / (b + .05);
    const size = parseFloat(style.fontSize);
    const large = size >= 24 || size >= 18.66 && Number(style.fontWeight) >= 700;
    if (ratio < (large ? 3 : 4.5)) complaints.push(`${path(e)} has contrast ${ratio.toFixed(2)}`);
  }

  if (document.documentElement.scrollWidth > innerWidth) {
    complaints.push(`the page is ${document.documentElement.scrollWidth} wide on a screen of ${innerWidth}`);
  }
  return complaints;
}
"""

# What has the focus now, and whether one sees it.
FOCUSED = r"""
() => {
  const e = document.activeElement;
  if (!e || e === document.body) return null;
  const style = getComputedStyle(e);
  const outlined = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
  const order = [...document.querySelectorAll("*")].indexOf(e);
  return { name: e.getAttribute("aria-label") || e.textContent.trim() || e.name || e.tagName, outlined, order };
}
"""


def check(page, where):
    """Fails with every complaint at once."""
    page.wait_for_load_state("load")
    complaints = page.evaluate(SCRIPT)
    assert not complaints, f"{where}:\n  " + "\n  ".join(complaints)


def check_focus(page, where, at_least):
    """Tabs once through the page: everything is reached in reading order, and one sees where one is."""
    page.evaluate(
        "() => { const b = document.body; b.tabIndex = -1; b.focus(); b.removeAttribute('tabindex'); b.blur(); }")
    visited = []
    for _ in range(80):
        page.keyboard.press("Tab")
        focused = page.evaluate(FOCUSED)
        if focused is None or (visited and focused["order"] == visited[0]["order"]):
            break
        assert focused["outlined"], f"{where}: the focus on {focused['name']!r} cannot be seen"
        visited.append(focused)
    orders = [one["order"] for one in visited]
    assert orders == sorted(orders), f"{where}: the focus jumps: {[one['name'] for one in visited]}"
    assert len(visited) >= at_least, f"{where}: only {len(visited)} places are reached by Tab"
