"""Who may do what, written down by hand from what was agreed. The tests hold the product against it.

Nothing here is computed from the product: whoever adds a route, a page or a permission adds its line, and so says once
more who may reach it.
"""

from __future__ import annotations

ADMINS = frozenset({"super_admin", "admin"})
SUPER_ADMIN = frozenset({"super_admin"})
EVERY_ROLE = frozenset({"super_admin", "admin", "developer", "auditor", "agent"})

HOLDERS: dict[str, frozenset[str]] = {
    "analytics.view": ADMINS | {"developer", "auditor"},
    "analytics.export": ADMINS,
    "settings.manage": ADMINS | {"developer"},
    "settings.password_complexity": ADMINS,
    "settings.two_factor": ADMINS,
    "settings.single_sign_on": ADMINS,
    "users.manage": ADMINS,
    "users.delete": ADMINS,
    "roles.delete": ADMINS,
    "persons.view": ADMINS | {"developer", "auditor"},
    "persons.export": ADMINS,
    "persons.erase": SUPER_ADMIN,
    "persons.merge": ADMINS,
    "admin.danger_zone": SUPER_ADMIN,
    "instance.view": ADMINS | {"developer"},
    "audit.view": ADMINS | {"auditor"},
    "funnels.manage": ADMINS | {"developer"},
    "media.view": EVERY_ROLE,
    "media.upload": ADMINS | {"developer", "agent"},
    "media.delete": ADMINS,
}
"""The roles that hold each permission unless a tenant says otherwise."""

READ_KEY = frozenset({"analytics.view", "analytics.export"})
"""What a read key may do that was made without scopes."""

_ROUTES = {
    "public": """
        GET /api/settings/danger-zone/deletions/{token}
        GET /settings/danger-zone/deletions/{token}
        POST /api/auth/2fa/resend
        POST /api/auth/2fa/verify
        POST /api/auth/expired-password
        POST /api/auth/forgot-password
        POST /api/auth/login
        POST /api/auth/reset-password
        POST /api/auth/signup
        GET /api/auth/signup-available
        POST /api/auth/token
        POST /api/auth/token/refresh
        POST /api/auth/verify-session-takeover
        POST /api/invitations/claim
        GET /api/invitations/validate
        GET /branding/{colour}.css
        GET POST /forgot-password
        GET /invitation
        POST /invitation/claim
        GET POST /login
        POST /login/cancel
        GET POST /login/new-password
        GET POST /login/second-factor
        POST /login/send-again
        GET POST /login/sso
        GET /login/sso/callback
        GET /login/sso/{tenant}/start
        GET POST /login/take-over
        POST /logout
        GET /media/{ticket}
        GET /media/{ticket}/{filename}
        GET POST /reset-password
        GET POST /signup
        GET POST /verify-login
    """,
    "authenticated": """
        GET /
        POST /api/auth/2fa/disable
        POST /api/auth/2fa/recovery-codes
        POST /api/auth/change-password
        POST /api/auth/confirm
        DELETE GET /api/auth/devices
        DELETE /api/auth/devices/{device:uuid}
        PATCH /api/auth/me
        DELETE GET /api/auth/sessions
        DELETE /api/auth/sessions/{login:uuid}
        GET POST /api/auth/tokens
        DELETE /api/auth/tokens/{token:int}
        GET /api/auth/verify
        POST /api/invitations/accept
        GET /api/tenants
        GET PUT /api/tenants/current
        POST /choose-organisation
        GET /dashboard
        POST /invitation/accept
        GET POST /login/confirm
        GET /settings
        GET POST /settings/password
        GET /settings/profile
        POST /settings/profile/devices/forget
        POST /settings/profile/factors/disable
        POST /settings/profile/logins/close
        POST /settings/profile/logins/close-all
        POST /settings/profile/logins/close-others
        POST /settings/profile/name
        POST /settings/profile/recovery-codes
        POST /settings/profile/tokens
        POST /settings/profile/tokens/revoke
    """,
    "limited": """
        POST /api/auth/2fa/setup
        POST /api/auth/2fa/setup/verify
        GET /api/auth/2fa/status
        POST /api/auth/logout
        GET /api/auth/me
        GET POST /login/set-up
        GET POST /login/set-up/finish
    """,
    "admin.danger_zone": """
        GET /api/settings/danger-zone/archive
        GET POST /api/settings/danger-zone/export
        GET /api/settings/danger-zone/preview/{entity}/{key}
        POST /api/settings/danger-zone/archive-and-delete/{entity}/{key}
        POST /api/settings/danger-zone/archive/{entry:int}/restore
        GET /settings/danger-zone
        GET /settings/danger-zone/archive
        GET /settings/danger-zone/choose
        GET POST /settings/danger-zone/export
        GET POST /settings/danger-zone/delete/{entity}/{key}
        POST /settings/danger-zone/archive/{entry:int}/restore
    """,
    "analytics.export": """
        GET /api/query/export
        POST /api/query/export
        GET /csat-analytics/{card}.csv
        GET /events/catalogue/{card}.csv
        GET /events/explore/{card}.csv
        GET /events/{card}.csv
        GET /ai-analytics/{card}.csv
        GET /insights/{card}.csv
        GET /funnel/{card}.csv
        GET /journeys/{card}.csv
        GET /overview/{card}.csv
        GET /trends/errors/{card}.csv
        GET /trends/lifecycle/{card}.csv
        GET /trends/paths/{card}.csv
        GET /trends/retention/{card}.csv
        GET /trends/{card}.csv
        GET /sessions/export.csv
        GET /whatsapp-analytics/{card}.csv
    """,
    "analytics.view": """
        GET /api/ai-analytics/containment
        GET /api/ai-analytics/errors
        GET /api/ai-analytics/intents
        GET /api/ai-analytics/latency
        GET /api/ai-analytics/stats
        GET /api/ai-analytics/tokens
        GET /api/ai-analytics/top-agents
        GET /api/ai-analytics/trends/agent-resolved
        GET /api/ai-analytics/trends/classifications
        GET /api/ai-analytics/trends/confidence
        GET /api/ai-analytics/trends/latency
        GET /api/ai-analytics/trends/resolution-time
        GET /ai-analytics
        GET /ai-analytics/parts/{card}
        GET /insights
        GET /insights/parts/{card}
        GET /analytics/filter-values
        GET /api/csat-analytics/by-agent
        GET /api/csat-analytics/by-channel
        GET /api/csat-analytics/by-journey
        GET /api/csat-analytics/dashboard
        GET /api/csat-analytics/feedback
        GET /api/csat-analytics/trend
        GET /api/events
        GET /api/events/catalogue
        GET /api/events/distinct
        GET /api/events/property
        GET /api/events/recent
        POST /api/funnel
        GET /api/funnel/saved
        GET /api/funnel/saved/{funnel:uuid}
        GET /api/journeys/agent-performance
        GET /api/journeys/by-journey
        GET /api/journeys/handoff-by-step
        GET /api/journeys/handoff-reasons
        GET /api/journeys/journey-labels
        GET /api/journeys/overview
        GET /api/journeys/time-to-handoff
        GET /api/journeys/trends/handoff
        GET /api/live
        GET /api/overview
        GET /api/overview/browsers
        GET /api/overview/countries
        GET /api/overview/daily-users
        GET /api/overview/devices
        GET /api/overview/live
        GET /api/overview/now
        GET /api/overview/page-paths
        GET /api/overview/user-identity
        GET /api/query
        POST /api/query
        GET /api/sessions
        GET /api/sessions/{session:uuid}
        GET /api/trends/conversions
        GET /api/trends/daily-active-users
        GET /api/trends/session-duration
        GET /api/trends/sessions
        GET /api/trends/user-growth
        GET /api/whatsapp-analytics/agents
        GET /api/whatsapp-analytics/conversation-length
        GET /api/whatsapp-analytics/countries
        GET /api/whatsapp-analytics/funnel
        GET /api/whatsapp-analytics/heatmap
        GET /api/whatsapp-analytics/resolution-stats
        GET /api/whatsapp-analytics/response-time
        GET /api/whatsapp-analytics/stats
        GET /api/whatsapp-analytics/trends/new-contacts
        GET /api/whatsapp-analytics/trends/read-rate
        GET /api/whatsapp-analytics/trends/response-time
        GET /api/whatsapp-analytics/trends/volume
        GET /api/whatsapp-analytics/volume
        GET /csat-analytics
        GET /csat-analytics/parts/{card}
        GET /definitions
        GET /events
        GET /events/catalogue
        GET /events/catalogue/parts/{card}
        GET /events/explore
        GET /events/explore/parts/{card}
        GET /events/parts/{card}
        GET /events/rows
        GET /events/{message:uuid}
        GET /funnel
        GET /funnel/build
        GET /funnel/offers
        GET /funnel/parts/{card}
        GET /journeys
        GET /journeys/parts/{card}
        GET /overview
        GET /overview/events
        GET /overview/parts/{card}
        GET /overview/sessions
        GET /trends
        GET /trends/errors
        GET /trends/errors/parts/{card}
        GET /trends/lifecycle
        GET /trends/lifecycle/parts/{card}
        GET /trends/parts/{card}
        GET /trends/paths
        GET /trends/paths/parts/{card}
        GET /trends/retention
        GET /trends/retention/parts/{card}
        GET /sessions
        GET /sessions/{session:uuid}
        GET /whatsapp-analytics
        GET /whatsapp-analytics/parts/{card}
    """,
    "audit.view": """
        GET /api/audit-logs
        GET /api/audit-logs/{record_id:int}
        GET /audit-logs
        GET /audit-logs/export.csv
        GET /audit-logs/{record_id:int}
    """,
    "funnels.manage": """
        POST /api/funnel/saved
        DELETE PATCH /api/funnel/saved/{funnel:uuid}
        POST /funnel/saved
        POST /funnel/saved/{funnel:uuid}/delete
        POST /funnel/saved/{funnel:uuid}/rename
        POST /funnel/saved/{funnel:uuid}/update
    """,
    "media.delete": """
        DELETE /api/media/{file:uuid}
        POST /settings/media/{file:uuid}/delete
    """,
    "media.upload": """
        POST /api/media/upload
        POST /settings/media
    """,
    "media.view": """
        GET /api/media
        GET /api/media/{file:uuid}
        POST /api/media/{file:uuid}/link
        GET /settings/media
        GET /settings/media/{file:uuid}
    """,
    "persons.export": """
        GET /persons/{person:uuid}/export.json
    """,
    "persons.merge": """
        POST /persons/{person:uuid}/log/{change:int}/redo
        POST /persons/{person:uuid}/log/{change:int}/undo
    """,
    "persons.view": """
        GET /api/sessions/journey/{known_id}
        GET /api/sessions/search
        GET /journey
        GET /journey/found
        GET /persons
        GET /persons/{person:uuid}
    """,
    "roles.delete": """
        DELETE /api/settings/roles/{role}
        POST /settings/roles/{role}/delete
    """,
    "settings.manage": """
        GET /api/dashboard/setup
        GET /api/email/outbox
        GET POST /api/settings/keys
        DELETE /api/settings/keys/{key:int}
        PATCH /api/settings/keys/{key:int}/revoke
        POST /api/settings/keys/{key:int}/rotate
        GET /api/settings/plugins
        PATCH /api/settings/plugins/{plugin}
        GET PUT /api/settings/plugins/{plugin}/settings
        GET POST /api/settings/projects
        GET PATCH /api/settings/projects/{project}
        GET POST /api/settings/roles
        GET /api/settings/roles/permissions
        PUT /api/settings/roles/{role}
        GET PATCH /api/settings/security
        POST /api/settings/security/sign-everybody-out
        PATCH /api/tenants/current
        GET /settings/dead-letters
        POST /settings/dead-letters/drop
        POST /settings/dead-letters/replay
        GET /settings/dead-letters/{letter:int}
        GET /settings/ingestion
        GET /settings/ingestion.csv
        GET POST /settings/keys
        POST /settings/keys/{key:int}/revoke
        POST /settings/keys/{key:int}/rotate
        GET POST /settings/navigation
        GET POST /settings/organisation
        GET /settings/outbox
        GET /settings/plugins
        GET POST /settings/plugins/{plugin}
        POST /settings/plugins/{plugin}/switch
        GET POST /settings/projects
        GET POST /settings/projects/{project}
        GET /settings/roles
        GET POST /settings/roles/new
        GET POST /settings/roles/{role}
        GET POST /settings/security
        POST /settings/security/sign-everybody-out
        GET /settings/session
        GET POST /settings/system-messages
        GET /setup
        POST /setup/keys
        POST /setup/keys/{key_id:int}/revoke
    """,
    "settings.single_sign_on": """
        DELETE GET PUT /api/settings/sso
        GET POST /settings/sso
        POST /settings/sso/remove
    """,
    "users.manage": """
        GET POST /api/tenants/current/invitations
        DELETE /api/tenants/current/invitations/{invitation:int}
        POST /api/tenants/current/invitations/{invitation:int}/resend
        GET /api/tenants/current/members
        PATCH /api/tenants/current/members/{user:int}
        PATCH /api/tenants/current/members/{user:int}/deactivate
        PATCH /api/tenants/current/members/{user:int}/reactivate
        GET /settings/people
        POST /settings/people/invitations/{invitation:int}/resend
        POST /settings/people/invitations/{invitation:int}/revoke
        POST /settings/people/invite
        POST /settings/people/{user:int}/deactivate
        POST /settings/people/{user:int}/reactivate
        POST /settings/people/{user:int}/role
    """,
}

LINES = [
    ((method, line.split()[-1]), permission)
    for permission, lines in _ROUTES.items()
    for line in lines.strip().splitlines()
    for method in line.split()[:-1]
]
NEEDED = dict(LINES)
"""The permission that each method and path asks for; `public`, `authenticated` and `limited` are what they say."""

INTROSPECTION = {"/-/plugins", "/-/health", "/-/metrics", "/-/versions", "/api/openapi.json"}
"""Open to everybody, beside the table: what monitoring asks for, and the description of the API."""

COLLECTOR = (
    "/v1/",
    "/sdk.",
    "/beacon/",
    "/projects/",
    "/sourceConfig",
    "/pixel/",
    "/cluster-info",
    "/health",
    "/version",
    "/batch",
    "/capture",
    "/e",
    "/i/",
)
"""Beginnings of paths that take write keys, or nothing, and never a login."""
