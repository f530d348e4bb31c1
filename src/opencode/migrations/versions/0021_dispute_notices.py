"""Disputes have notices of their own: what was chosen for refunds, which told of them until now, holds for them too."""

from alembic import op

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    op.execute("""
        insert into notice_preferences (user_id, kind, inbox, mail)
        select user_id, 'order.disputed', inbox, mail from notice_preferences where kind = 'order.refunded'
    """)
    op.execute("""
        insert into notice_webhook_kinds (webhook_id, kind)
        select webhook_id, 'order.disputed' from notice_webhook_kinds where kind = 'order.refunded'
    """)
