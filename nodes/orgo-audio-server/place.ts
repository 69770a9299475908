/** Where each server node listens now: what is taken by a node itself is no fault that its dialog's test finds. */
import type { SettingValues } from '../shared/settings';
import type { SETTINGS } from './settings';

type Where = Pick<SettingValues<typeof SETTINGS>, 'listen' | 'host' | 'port' | 'path'>;

const places = new WeakMap<object, string>();

export function keepPlace(node: object, where: Where): void {
  places.set(node, placeOf(where));
}

export function forgetPlace(node: object): void {
  places.delete(node);
}

/** Whether `node` listens there itself. */
export function listensAt(node: object | undefined, where: Where): boolean {
  return node !== undefined && places.get(node) === placeOf(where);
}

function placeOf({ listen, host, port, path }: Where): string {
  return listen === 'own' ? `${host}:${port}` : path;
}
