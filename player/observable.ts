/** Properties whose changes are events: `addEventListener('level', …)` hears of each change of `level`. */

/** An audio worklet evaluates this module, too, and knows no EventTarget. */
const Target = 'EventTarget' in globalThis ? EventTarget : (Object as unknown as typeof EventTarget);

export class Observable<Properties extends object> extends Target {
  readonly #values: Properties;

  constructor(initial: Properties) {
    super();
    this.#values = { ...initial };
  }

  protected get<Name extends keyof Properties>(name: Name): Properties[Name] {
    return this.#values[name];
  }

  /** Sets a property, and fires an event of its name where that changes it. */
  protected set<Name extends keyof Properties & string>(name: Name, value: Properties[Name]): void {
    if (Object.is(this.#values[name], value)) return;
    this.#values[name] = value;
    this.dispatchEvent(new Event(name));
  }
}
