// Names of options, checked: a misspelt option must not be an option ignored.

/** @throws TypeError naming the first option that is not among `known`. */
export function checkOptionNames(
  options: object,
  known: Readonly<Record<string, true>>,
  taker: string,
): void {
  for (const name of Object.keys(options)) {
    if (Object.hasOwn(known, name)) continue
    throw new TypeError(
      `${taker} takes no option ${JSON.stringify(name)}, only ${Object.keys(known).join(', ')}`,
    )
  }
}
