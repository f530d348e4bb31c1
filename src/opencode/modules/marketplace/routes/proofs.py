"""Proofs of ownership."""

from litestar import Controller, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from opencode.kernel.principal import Principal
from opencode.modules.marketplace.schemas.proofs import ProofBody, ProofsView, ProofView, TokenBody
from opencode.modules.marketplace.service.proving import Proving


class ProofsController(Controller):
    path = "/api/v1/projects/{slug:str}/proofs"
    tags = ("Marketplace",)

    @post("/", operation_id="begin_proof", summary="Begin to prove that a repository is one's own")
    async def begin(
        self,
        slug: FromPath[str],
        data: JSONBody[ProofBody],
        principal: NamedDependency[Principal],
        proving: NamedDependency[Proving],
    ) -> ProofView:
        """`todo` says where the token is to be put. Beginning twice is the same as once."""
        return ProofView.of(await proving.begin(slug, principal, data.method))

    @get("/", operation_id="list_proofs", summary="List the proofs of one's own project")
    async def list_all(
        self, slug: FromPath[str], principal: NamedDependency[Principal], proving: NamedDependency[Proving]
    ) -> ProofsView:
        """One for each method at the most, so there are no pages."""
        return ProofsView.of(await proving.list_all(slug, principal))

    @post(
        "/{proof_id:str}/check", operation_id="check_proof", summary="Look whether the token is there", status_code=200
    )
    async def check(
        self,
        slug: FromPath[str],
        proof_id: FromPath[str],
        principal: NamedDependency[Principal],
        proving: NamedDependency[Proving],
    ) -> ProofView:
        """`state` is `verified`, or `message` says why not."""
        return ProofView.of(await proving.check(slug, proof_id, principal))

    @post(
        "/{proof_id:str}/token",
        operation_id="send_proof_token",
        summary="Prove a repository by the token of a job of CI",
        status_code=200,
    )
    async def take_token(
        self,
        slug: FromPath[str],
        proof_id: FromPath[str],
        data: JSONBody[TokenBody],
        address: NamedDependency[str],
        proving: NamedDependency[Proving],
    ) -> ProofView:
        """The token says itself who it is of, so nobody needs to be signed in. It is good once."""
        return ProofView.of(await proving.take_token(slug, proof_id, data.token, address))

    @delete("/{proof_id:str}", operation_id="delete_proof", summary="Take a proof back")
    async def remove(
        self,
        slug: FromPath[str],
        proof_id: FromPath[str],
        principal: NamedDependency[Principal],
        proving: NamedDependency[Proving],
    ) -> None:
        await proving.remove(slug, proof_id, principal)
