import type { Delivery, Webhook } from '#lib/api/notifications.ts';

export type Standing = 'on' | 'paused' | 'switched off';

export function standingOf({ active, switched_off_at }: Webhook): Standing {
  if (active) return 'on';
  return switched_off_at === null ? 'paused' : 'switched off';
}

export const STANDING_WORDS: Record<Standing, string> = { on: 'On', paused: 'Paused', 'switched off': 'Switched off' };
export const STANDING_TONES = { on: 'good', paused: 'neutral', 'switched off': 'bad' } as const;

export const STATE_WORDS = { waiting: 'Waiting', delivered: 'Delivered', failed: 'Failed' } as const;
export const STATE_TONES = { waiting: 'warn', delivered: 'good', failed: 'bad' } as const;

/** Why the server switched it off, as one or two sentences. */
export function offReason({ failures }: Webhook, last: Delivery | null): string {
  if (last?.response_status === 410) return 'The receiver answered 410, which means that it wants no more.';
  const calls = failures === 1 ? '1 call failed.' : `${failures} calls in a row failed.`;
  return last?.error ? `${calls} The last one: ${last.error}.` : calls;
}

/** What a receiver does to know that a message is genuine. */
export const VERIFYING = `import base64, hashlib, hmac

def is_genuine(headers: dict[str, str], body: bytes, secret: str, now: float) -> bool:
    seconds = headers["webhook-timestamp"]
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{headers['webhook-id']}.{seconds}.".encode() + body
    expected = "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
    given = headers["webhook-signature"].split(" ")
    return any(hmac.compare_digest(expected, each) for each in given) and abs(now - int(seconds)) <= 300
`;
