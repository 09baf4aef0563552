// The callbacks of one training, called one after the other.
import { invalid } from '../errors.js';
import { Callback, CustomCallback, HOOKS, listens, type CustomCallbackArgs, type HookName } from './callback.js';

/** What `fit` takes as `callbacks`. */
export type CallbackLike = Callback | CustomCallbackArgs;

/** Callbacks by the hooks they have. */
export class CallbackList {
  private readonly byHook = new Map<HookName, readonly Callback[]>();

  constructor(readonly callbacks: readonly Callback[]) {
    for (const hook of HOOKS) {
      this.byHook.set(
        hook,
        callbacks.filter((callback) => listens(callback, hook)),
      );
    }
  }

  /** Whether any callback has the hook. */
  has(hook: HookName): boolean {
    return this.byHook.get(hook)!.length > 0;
  }

  /** Calls a hook of all callbacks that have it, in their order, waiting for each. */
  async call<H extends HookName>(hook: H, ...args: Parameters<Callback[H]>): Promise<void> {
    for (const callback of this.byHook.get(hook)!) {
      await (callback[hook] as (...given: unknown[]) => unknown).apply(callback, args);
    }
  }
}

/**
 * Callbacks from what the user gave: one or several, objects of functions among them.
 * @throws ArgumentError for anything else, or a hook that is no function.
 */
export function callbacksFrom(op: string, given: unknown): Callback[] {
  if (given === undefined || given === null) return [];
  const list: unknown[] = Array.isArray(given) ? given : [given];
  return list.map((one) => {
    if (one instanceof Callback) return one;
    const names: readonly string[] = HOOKS;
    const entries = typeof one === 'object' && one !== null ? Object.entries(one) : [];
    const hooks = entries.filter(([name, value]) => names.includes(name) && value !== undefined);
    const wrong = hooks.find(([, value]) => typeof value !== 'function');
    if (wrong !== undefined) throw invalid('ERR_ARGUMENT', op, `callbacks.${wrong[0]}`, 'a function', wrong[1]);
    if (hooks.length > 0) return new CustomCallback(one as CustomCallbackArgs);
    throw invalid('ERR_ARGUMENT', op, 'callbacks', `a Callback, or an object with ${HOOKS.join(', ')}`, one);
  });
}
