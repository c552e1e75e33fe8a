/** What may stand somewhere: one value, or after a kill one of several. `undefined`: nothing. */
type Possible = ReadonlySet<string | undefined>;

/** What a sequence of changes should have left, by kind and name. */
export class Expected {
  readonly wrong: string[] = [];
  private readonly values = new Map<string, Possible>();

  /** It was acknowledged: only this can be there. */
  set(name: string, value: string | undefined): void {
    this.values.set(name, new Set([value]));
  }

  /** It was cut off: it may have been made or not. */
  maybe(name: string, value: string | undefined): void {
    this.values.set(name, new Set([...(this.values.get(name) ?? [undefined]), value]));
  }

  /** Compares what was found; from then on nothing else can be there. */
  found(name: string, value: string | undefined): void {
    const possible = this.values.get(name) ?? new Set([undefined]);
    if (!possible.has(value)) {
      const wanted = [...possible].map((one) => one ?? 'nothing').join(' or ');
      this.wrong.push(`${name} is ${value ?? 'nothing'}, not ${wanted}`);
    }
    this.set(name, value);
  }

  /** Names of a kind, also of what is gone. */
  names(kind: string): readonly string[] {
    return [...this.values.keys()].filter((name) => name.startsWith(`${kind} `));
  }

  /** Names of a kind of which something certainly stands there. */
  present(kind: string): readonly string[] {
    return this.names(kind).filter((name) => !this.values.get(name)!.has(undefined));
  }
}
