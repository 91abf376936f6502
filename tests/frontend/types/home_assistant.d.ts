/** What the panel uses of Home Assistant. */

type Unsubscribe = () => Promise<void>;

interface Connection {
  readonly connected: boolean;
  subscribeMessage(
    show: (event: any) => void,
    message: object,
    options: { resubscribe: boolean },
  ): Promise<Unsubscribe>;
  sendMessagePromise(message: object): Promise<any>;
  addEventListener(name: "ready" | "disconnected", listener: () => void): void;
  removeEventListener(name: "ready" | "disconnected", listener: () => void): void;
}

type Localize = (key: string, values?: Record<string, unknown>) => string;

interface State {
  readonly state: string;
  readonly attributes: { readonly friendly_name?: string };
}

/** An area, floor or device, as far as its name is of importance. */
interface Named {
  readonly name: string | null;
  readonly name_by_user?: string | null;
}

/** What is in an area, or belongs to a device that is. */
interface Placed {
  readonly area_id?: string | null;
  readonly device_id?: string | null;
}

interface Locale {
  readonly language: string;
  readonly number_format: string;
  readonly time_format: string;
  readonly time_zone: string;
}

interface Hass {
  readonly connected: boolean;
  readonly connection: Connection;
  readonly language: string;
  readonly locale: Locale;
  readonly localize: Localize;
  readonly themes: object;
  readonly config: { readonly time_zone: string };
  readonly states: Readonly<Record<string, State | undefined>>;
  readonly entities: Readonly<Record<string, Placed | undefined>>;
  readonly devices: Readonly<Record<string, (Named & Placed) | undefined>>;
  readonly areas: Readonly<Record<string, Named | undefined>>;
  readonly floors: Readonly<Record<string, Named | undefined>>;
  callWS(message: object): Promise<any>;
  callService(domain: string, service: string, data?: object): Promise<unknown>;
  loadBackendTranslation(category: string, integration: string): Promise<Localize>;
}

/** What a command that was refused is answered with. */
interface Refusal {
  readonly message: string;
  readonly translation_key?: string;
  readonly translation_placeholders?: Record<string, unknown>;
}
