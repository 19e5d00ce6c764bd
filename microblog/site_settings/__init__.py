"""What administrators set for the site at ``/admin/settings``: its name, a description, rules, who
may sign up, limits, whom to write to.

The environment gives the defaults, and what was set here beats it.  Only what differs from the
environment is kept, so a setting that is put back to what the environment says follows it again.
Every process keeps the outcome in memory (`site.Site.chosen`) and asks again when the log tells of
`SiteSettingsChanged`.
"""
