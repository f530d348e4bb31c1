import { asProblem, proofs, type ApiProblem, type Proof, type ProofMethod } from '#lib/api/index.ts';

/** The proofs of one project's repository, one for each method at the most. */
export class Proving {
  readonly slug: string;
  list = $state.raw<readonly Proof[] | null>(null);
  /** Those that can prove this repository on this server. */
  methods = $state.raw<readonly ProofMethod[]>([]);
  problem = $state.raw<ApiProblem | null>(null);

  constructor(slug: string) {
    this.slug = slug;
  }

  of(method: ProofMethod): Proof | null {
    return this.list?.find((proof) => proof.method === method) ?? null;
  }

  async load(): Promise<void> {
    this.problem = null;
    try {
      const { items, methods } = await proofs.list(this.slug);
      this.methods = methods;
      this.list = items;
    } catch (error) {
      this.problem = asProblem(error);
    }
  }

  /** Begins, or begins anew where the earlier one holds no more. Throws `ApiProblem`. */
  async begin(method: ProofMethod): Promise<void> {
    this.#take(await proofs.begin(this.slug, method));
  }

  /** Throws `ApiProblem`. */
  async check(proof: Proof): Promise<void> {
    this.#take(await proofs.check(this.slug, proof.id));
  }

  /** Throws `ApiProblem`. */
  async remove(proof: Proof): Promise<void> {
    await proofs.remove(this.slug, proof.id);
    this.list = (this.list ?? []).filter(({ id }) => id !== proof.id);
  }

  #take(proof: Proof): void {
    const others = (this.list ?? []).filter(({ method }) => method !== proof.method);
    this.list = [...others, proof];
  }
}
